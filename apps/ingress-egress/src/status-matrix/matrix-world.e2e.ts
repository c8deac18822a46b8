import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectorManager, type SupervisionPolicy, toConnectorError } from '@bitbrat/connectors-core';
import { MemoryCursors } from '@bitbrat/connectors-testing';
import { type Logger, systemClock } from '@bitbrat/foundation';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { readSettings } from '../composition.js';
import { type Phase, type Scenario, TWITCH_CHANNEL } from './scenarios.e2e.js';

/** Waits of the supervisor, shortened: a matrix with minutes in each cell would take weeks. */
const SUPERVISION: Partial<SupervisionPolicy> = {
  backoff: { baseMs: 20, maxMs: 200 },
  slowBackoff: { baseMs: 50, maxMs: 100 },
  minStartIntervalMs: 0,
};

/** The platforms' limits stand for days of use; a matrix is over in minutes. */
const UNLIMITED = {
  twitch: {
    channels: [TWITCH_CHANNEL],
    joinLimit: { count: 100_000, windowMs: 10_000 },
    loginLimit: { count: 100_000, windowMs: 10_000 },
  },
  discord: {
    sessionStartLimit: 1_000_000,
    channelLimit: 100_000,
    globalLimit: 100_000,
    invalidRequestLimit: 1_000_000,
  },
} as const;

/** How a world is judged. */
export interface WorldOptions {
  readonly logger: Logger;
  /** How long a cell may take until messages flow both ways again, in milliseconds. */
  readonly boundMs: number;
  /** Outranks the shortened waits. */
  readonly supervision?: Partial<SupervisionPolicy>;
}

const PROBE_MS = 250;

/** One platform of a sandbox, its real connector under the real manager, and a bus that takes everything. */
export class MatrixWorld {
  readonly #published = new Map<string, string>();
  readonly #written = new Set<string>();
  #texts = 0;
  #newcomers = 0;

  private constructor(
    readonly scenario: Scenario,
    readonly sandbox: Sandbox,
    readonly manager: ConnectorManager,
    private readonly place: string,
    private readonly webhooks: Server,
    private readonly boundMs: number,
  ) {}

  static async create(scenario: Scenario, options: WorldOptions): Promise<MatrixWorld> {
    const { boundMs, logger, supervision } = options;
    const webhooks = createServer();
    await new Promise<void>((resolve) => webhooks.listen(0, '127.0.0.1', resolve));
    const { port } = webhooks.address() as AddressInfo; // listening on TCP
    const webhookUrl = `http://127.0.0.1:${port}/webhooks/twilio`;
    const sandbox = await startSandbox({
      twilio: { webhookUrl },
      twitch: UNLIMITED.twitch,
      discord: UNLIMITED.discord,
    });
    const { connectors } = readSettings({
      ...sandbox[scenario.name].environment(),
      ...(scenario.name === 'twilio' ? { TWILIO_WEBHOOK_URL: webhookUrl } : {}),
      ...scenario.extra,
    });
    const cursors = new MemoryCursors();
    const place = scenario.place(sandbox);
    const manager = new ConnectorManager(connectors, {
      publish: ({ id, text }) => {
        world.#published.set(text, id);
        return Promise.resolve();
      },
      egressTopic: 'egress',
      cursorsFor: () => cursors,
      clock: systemClock,
      logger,
      random: Math.random,
      onStateChanged: () => Promise.resolve(true),
      supervision: { ...SUPERVISION, ...supervision },
    });
    const world = new MatrixWorld(scenario, sandbox, manager, place, webhooks, boundMs);
    world.#serve();
    await manager.startAll();
    await world.flows('the first start');
    return world;
  }

  /** Requests of the phase, in order of their first appearance, without any fault. */
  async requestsOf(phase: Phase): Promise<readonly string[]> {
    const { wire } = this.sandbox;
    await this.#begin(phase);
    await this.flows(phase);
    return [...new Set(wire.log)];
  }

  /** Runs the phase with one wrong answer. @returns whether it was given. @throws Error when messages do not flow again */
  async cell(phase: Phase, arm: () => void): Promise<boolean> {
    const { wire } = this.sandbox;
    const before = wire.strikes;
    await this.#begin(phase, arm);
    await this.flows(phase);
    wire.heal();
    return wire.strikes > before;
  }

  /** Resolves when a message came in and one went out, and nothing that was written is missing. */
  async flows(what: string): Promise<void> {
    const deadline = performance.now() + this.boundMs;
    await Promise.all([this.#hears(deadline, what), this.#says(deadline, what)]);
    if (!this.scenario.keepsHistory) return;
    await this.#until(deadline, `${what}: everything that was written`, () =>
      [...this.#written].every((text) => this.#published.has(text)),
    );
  }

  async close(): Promise<void> {
    await this.manager.stopAll(5_000);
    await this.sandbox.close();
    this.webhooks.closeAllConnections();
    await new Promise((resolve) => this.webhooks.close(resolve));
  }

  async #begin(phase: Phase, arm: () => void = () => undefined): Promise<void> {
    const { scenario, sandbox, manager } = this;
    if (phase === 'start') await manager.stop(scenario.name);
    sandbox.wire.clear();
    arm();
    switch (phase) {
      case 'start':
        void manager.start(scenario.name);
        return;
      case 'reconnect':
        scenario.drop(sandbox);
        return;
      case 'renewal':
        scenario.renew?.(sandbox);
        return;
      case 'catch-up':
        scenario.drop(sandbox);
        await this.#write();
        return;
      case 'newcomer': {
        const text = this.#text();
        this.#newcomers += 1;
        this.#written.add(text);
        await scenario.newcomer?.(sandbox, text, this.#newcomers);
        return;
      }
      case 'receive':
      case 'send':
        return;
      default:
        phase satisfies never;
    }
  }

  async #write(): Promise<string> {
    const text = this.#text();
    this.#written.add(text);
    await this.scenario.write(this.sandbox, this.place, text);
    return text;
  }

  async #hears(deadline: number, what: string): Promise<void> {
    for (let heard = false; !heard;) {
      const text = await this.#write();
      const end = Math.min(deadline, performance.now() + PROBE_MS * 4);
      heard = await this.#until(end, '', () => this.#published.has(text)).then(
        () => true,
        () => false,
      );
      if (!heard) this.#checkTime(deadline, `${what}: a message that comes in`);
    }
  }

  /** Sends as the egress consumer does: the same message again while the error is retryable, else the next one. */
  async #says(deadline: number, what: string): Promise<void> {
    for (;;) {
      const text = this.#text();
      let mayHaveBeenSent = false;
      for (let again = true; again;) {
        try {
          await this.manager.sendText(this.scenario.name, text, this.place, {
            idempotencyKey: text,
            mayHaveBeenSent,
            signal: AbortSignal.timeout(20_000),
          });
          const times = this.scenario.sent(this.sandbox, this.place).filter((each) => each === text).length;
          if (times === 1) return;
          throw new Error(`${what}: the platform has a message ${times} times that was reported as sent`);
        } catch (reason) {
          const error = toConnectorError(reason);
          if (error.code === 'INTERNAL') throw reason;
          this.#checkTime(deadline, `${what}: a message that goes out (${error.code}: ${error.message})`);
          mayHaveBeenSent ||= error.ambiguous;
          again = error.retryable;
          await delay(Math.min(error.retryAfterMs ?? PROBE_MS, 5_000));
        }
      }
    }
  }

  #text(): string {
    this.#texts += 1;
    return `text ${this.#texts}`;
  }

  async #until(deadline: number, what: string, isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      this.#checkTime(deadline, what);
      await delay(10);
    }
  }

  #checkTime(deadline: number, what: string): void {
    if (performance.now() < deadline) return;
    const state = JSON.stringify(this.manager.getStates()[this.scenario.name]);
    throw new Error(`waited ${this.boundMs} ms in vain for ${what}; the state is ${state}`);
  }

  #serve(): void {
    this.webhooks.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { headers, method = '', url: path = '' } = request;
        const flat = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
        );
        const receiver = this.manager.webhookReceiver('twilio');
        void receiver
          ?.handleWebhook({ method, path, headers: flat, rawBody: Buffer.concat(chunks) })
          .then(({ status, body }) => response.writeHead(status).end(body));
      });
    });
  }
}
