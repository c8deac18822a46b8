import { type ConnectorState, type IngressGap, parseEnvironment } from '@bitbrat/connectors-core';
import { RecordingHost, waitFor as waitUntil } from '@bitbrat/connectors-testing';
import { type Clock, systemClock } from '@bitbrat/foundation';
import {
  type Sandbox,
  startSandbox,
  type TwitchInboundMessage,
  type TwitchMessageReceipt,
  type TwitchSandboxOptions,
} from '@bitbrat/sandbox';
import { type TwitchConfig, twitchConfigSchema } from '../config.js';
import { TwitchConnectorAdapter } from '../connector-adapter.js';

/** As the testing library's, with a default for the patience. */
export function waitFor(
  check: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  return waitUntil(check, timeoutMs, what);
}

/** Our own waits shortened, those of `fromMs` and more; the sandbox keeps the machine's clock. */
export function fastClock(factor: number, fromMs = 0): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => systemClock.monotonic(),
    setTimeout: (callback, ms) => systemClock.setTimeout(callback, ms < fromMs ? ms : ms / factor),
  };
}

/** What was missed, by what the host was told, oldest first. */
export function gapsOf(host: RecordingHost): IngressGap[] {
  return host.states.flatMap((state) =>
    state.status === 'connected' && state.gap !== undefined ? [state.gap] : [],
  );
}

/** Texts that were published, in order; of one channel where one is given. */
export function textsOf(host: RecordingHost, channel?: string): string[] {
  return host.published
    .filter(({ channel: { name } }) => channel === undefined || name === channel)
    .map(({ text }) => text);
}

export interface GatewayOptions {
  readonly sandbox?: Partial<TwitchSandboxOptions>;
  readonly config?: Partial<TwitchConfig>;
  readonly clock?: Clock;
}

/** The connector against the sandbox: the real tmi.js over real sockets. */
export class Gateway {
  private constructor(
    readonly sandbox: Sandbox,
    readonly host: RecordingHost,
    readonly connector: TwitchConnectorAdapter,
    readonly config: TwitchConfig,
  ) {}

  static async create({
    clock = systemClock,
    config,
    sandbox: twitch,
  }: GatewayOptions = {}): Promise<Gateway> {
    const sandbox = await startSandbox({ port: 0, ...(twitch === undefined ? {} : { twitch }) });
    const parsed = parseEnvironment(twitchConfigSchema, sandbox.twitch.environment());
    if (!parsed.ok || !parsed.config.enabled) throw new Error(JSON.stringify(parsed));
    const whole = { ...parsed.config, ...config };
    const host = new RecordingHost({ clock });
    return new Gateway(sandbox, host, new TwitchConnectorAdapter(whole, host), whole);
  }

  /** A second process with the same settings: what the first one knew in memory is gone. */
  restarted(): { host: RecordingHost; connector: TwitchConnectorAdapter } {
    const host = new RecordingHost({ clock: this.host.clock, cursors: this.host.cursors });
    return { host, connector: new TwitchConnectorAdapter(this.config, host) };
  }

  get status(): ConnectorState['status'] | undefined {
    return this.host.states.at(-1)?.status;
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.connector.getSnapshot().details;
  }

  get connections(): number {
    return this.sandbox.twitch.stats().connections.length;
  }

  start(): Promise<void> {
    return this.connector.start(new AbortController().signal);
  }

  /** What the supervisor does after a failure that may pass. */
  async restart(): Promise<void> {
    await this.connector.stop();
    await this.start();
  }

  texts(channel?: string): string[] {
    return textsOf(this.host, channel);
  }

  /** A person writes. */
  write(text: string, more: Partial<TwitchInboundMessage> = {}): TwitchMessageReceipt {
    return this.sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text, ...more });
  }

  /** Texts of the bot's messages, oldest first. */
  sent(channel = 'bitbrat'): string[] {
    return this.sandbox.twitch
      .messages(channel)
      .filter(({ via }) => via === 'irc')
      .map(({ text }) => text);
  }

  async dispose(): Promise<void> {
    await this.connector.stop();
    await this.sandbox.close();
  }
}
