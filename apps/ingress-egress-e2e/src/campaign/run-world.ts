import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PubSubEmulator, startPubSubEmulator } from '@bitbrat/message-bus/testing';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { account } from './account.js';
import { BusProxy } from './bus-proxy.js';
import { BusWatch, INSTANCE_ID } from './bus-watch.js';
import { type CampaignPlatform } from './campaign-platform.js';
import { LEASE_BREAKING, selectFaults } from './fault.js';
import { FaultRunner } from './fault-runner.js';
import { busFaults } from './faults/bus-faults.js';
import { serviceFaults } from './faults/service-faults.js';
import { stateFaults } from './faults/state-faults.js';
import { type Facts } from './facts.js';
import { Journal } from './journal.js';
import { LoadDriver } from './load-driver.js';
import { makePlan, type Step } from './plan.js';
import { createPlatforms, sandboxOptions } from './platforms.js';
import { type RunOptions, type RunReport } from './run-report.js';
import { ServiceProcess } from './service-process.js';
import { type Finding, type Verdict } from './verdict.js';
import { readWords } from './words.js';

/** So many findings are told with their history; the rest are counted. */
const TOLD_FINDINGS = 20;

/** Everything that a run needs, started and connected: emulator, proxy, sandbox, service, bot. */
export class RunWorld {
  readonly plan: readonly Step[];
  readonly #crashes: Finding[] = [];
  readonly #memoryMb: number[] = [];
  readonly #faults: FaultRunner;
  readonly #load: LoadDriver;
  readonly #startedAt = performance.now();

  private constructor(
    private readonly options: RunOptions,
    private readonly parts: {
      readonly emulator: PubSubEmulator;
      readonly journal: Journal;
      readonly platforms: readonly CampaignPlatform[];
      readonly proxy: BusProxy;
      readonly sandbox: Sandbox;
      readonly service: ServiceProcess;
      readonly stateDirectory: string;
      readonly watch: BusWatch;
      readonly answers: Map<string, number>;
    },
  ) {
    const { answers, emulator, journal, platforms, proxy, service, stateDirectory, watch } = parts;
    this.#faults = new FaultRunner(journal);
    this.#load = new LoadDriver(platforms, watch, journal);
    const all = [
      ...platforms.flatMap((platform) => platform.faults),
      ...serviceFaults(service, proxy),
      ...stateFaults(stateDirectory),
      ...busFaults({ emulator, proxy, watch, now: () => journal.now() }),
    ];
    const faults = selectFaults(all, options.faults).filter(({ quick }) => quick || !options.quickOnly);
    const { outageMs, rate, seed, spanMs } = options;
    const refuse = all.find(({ name }) => name === 'bus.refuse');
    const long = outageMs === 0 || refuse === undefined ? undefined : { fault: refuse, durationMs: outageMs };
    this.plan = makePlan({ seed, spanMs, rate, platforms, faults, long });
    for (const step of this.plan) {
      if (step.kind === 'write' && step.answerWords > 0) answers.set(step.token, step.answerWords);
    }
  }

  static async start(options: RunOptions, logFile: string): Promise<RunWorld> {
    const journal = new Journal();
    const answers = new Map<string, number>();
    const emulator = await startPubSubEmulator({ environment: process.env });
    const proxy = await BusProxy.start(emulator.host);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const sandbox = await startSandbox(sandboxOptions(options.seed, url));
    const platforms = createPlatforms(options.platforms, sandbox, url);
    const stateDirectory = mkdtempSync(join(tmpdir(), 'campaign-'));
    const environment = {
      PORT: String(port),
      LOG_LEVEL: 'debug',
      EGRESS_INSTANCE_ID: INSTANCE_ID,
      // Faults last longer than eight tries may; what is given up is then a fault of the service.
      EGRESS_MAX_ATTEMPTS: '100',
      MESSAGE_BUS_DRIVER: 'pubsub',
      PUBSUB_EMULATOR_HOST: proxy.host,
      GOOGLE_CLOUD_PROJECT: emulator.projectId,
      METADATA_SERVER_DETECTION: 'none',
      STATE_FILE: join(stateDirectory, 'state.json'),
      ...Object.fromEntries(platforms.flatMap((platform) => Object.entries(platform.environment()))),
    };
    const watch = await BusWatch.start({
      emulator,
      journal,
      answerWords: (token) => answers.get(token) ?? 0,
    });
    const service = new ServiceProcess(
      { main: options.main, environment, logFile },
      {
        onLog: logListener(journal),
        onCrash: (reason) => {
          world.#onCrash(reason);
        },
      },
    );
    const world = new RunWorld(options, {
      answers,
      emulator,
      journal,
      platforms,
      proxy,
      sandbox,
      service,
      stateDirectory,
      watch,
    });
    return world;
  }

  /** Starts the service and lets everybody write a first message. */
  async open(): Promise<void> {
    const { platforms, service } = this.parts;
    await service.start();
    await service.ready();
    await this.#checkConnectors();
    this.#memoryMb.push(service.memoryMb);
    const openings = platforms.flatMap(({ load, name }, i) =>
      Array.from({ length: load.people }, (_, person) =>
        this.#load.write({
          kind: 'write',
          at: 0,
          platform: name,
          person,
          token: `m${i * 1_000_000 + 900_000 + person}`,
          length: 20,
          answerWords: 0,
        }),
      ),
    );
    await Promise.all(openings);
  }

  play(step: Step): void {
    switch (step.kind) {
      case 'write':
        void this.#load.write(step);
        break;
      case 'send':
        this.#load.send(step);
        break;
      case 'fault':
        this.#faults.run(step);
        break;
      default:
        step satisfies never;
    }
  }

  /** Ends load and faults; everything works again afterwards. */
  async heal(): Promise<void> {
    const { journal, platforms, proxy, service, watch } = this.parts;
    await this.#load.end();
    await this.#faults.end();
    for (const platform of platforms) platform.heal();
    Object.assign(proxy.state, { refusing: false, hanging: false, delayMs: 0 });
    watch.release();
    await service.start();
    journal.note('everything is healed');
  }

  account(): Verdict {
    const { findings, counts } = account(this.#facts());
    return { findings: [...findings, ...this.#crashes], counts };
  }

  /** Milliseconds since the bus delivered anything. */
  silentForMs(): number {
    const { journal, watch } = this.parts;
    return journal.now() - watch.lastSeenAt;
  }

  /** Milliseconds since the bus or the service was last disturbed. */
  sinceDisruptionMs(): number {
    const breaking = this.#faults.troubles.filter(({ lane }) => LEASE_BREAKING.includes(lane));
    const ends = breaking.map(({ to }) => to);
    return this.parts.journal.now() - Math.max(-Infinity, ...ends);
  }

  progressLine(): string {
    const { journal, service, watch } = this.parts;
    this.#memoryMb.push(service.memoryMb);
    const { counts, findings } = this.account();
    const caused = [...this.#faults.caused.values()].reduce((sum, count) => sum + count, 0);
    return [
      `${String(Math.round(journal.now() / 1_000)).padStart(5)} s`,
      `in ${counts.written} written ${counts.published} published ${counts.repeats} repeats`,
      `out ${counts.accepted} accepted ${counts.standing} standing ${watch.unsettled().length} unsettled`,
      `${findings.length} open`,
      `${caused} faults, now ${this.#faults.active.join(' ') || 'none'}`,
      `${service.memoryMb} MiB`,
    ].join(' | ');
  }

  report(verdict: Verdict): RunReport {
    const { journal, service } = this.parts;
    const memory = this.#memoryMb.filter((value) => value > 0);
    return {
      seed: this.options.seed,
      ok: verdict.findings.length === 0,
      seconds: Math.round((performance.now() - this.#startedAt) / 1_000),
      counts: verdict.counts,
      starts: service.starts,
      faults: Object.fromEntries([...this.#faults.caused].sort(([a], [b]) => a.localeCompare(b))),
      memoryMb: {
        first: memory[0] ?? 0,
        most: Math.max(0, ...memory),
        last: memory.at(-1) ?? 0,
      },
      findings: verdict.findings.map((finding, i) => ({
        ...finding,
        history: i < TOLD_FINDINGS ? journal.history(finding.keys) : [],
      })),
      events: journal.common(),
    };
  }

  async close(): Promise<void> {
    const { emulator, proxy, sandbox, service, stateDirectory, watch } = this.parts;
    await this.#load.end();
    await this.#faults.end();
    await service.close();
    await watch.disconnect();
    await proxy.close();
    await sandbox.close();
    await emulator.stop();
    rmSync(stateDirectory, { recursive: true });
  }

  async #checkConnectors(): Promise<void> {
    const { platforms, service } = this.parts;
    for (const { name } of platforms) {
      const answer = await fetch(`${service.url}/_debug/${name}`);
      await answer.body?.cancel();
      if (answer.ok) continue;
      throw new Error(`the built service has no connector ${name}: leave it out by --platforms`);
    }
  }

  #onCrash(reason: string): void {
    const { journal, service } = this.parts;
    journal.note(`the service ended by itself: ${reason}`);
    this.#crashes.push({ kind: 'service ended by itself', detail: reason, keys: [] });
    void service.start();
  }

  #facts(): Facts {
    const { platforms, watch } = this.parts;
    return {
      promises: new Map(platforms.map(({ name, promise }) => [name, promise])),
      written: this.#load.written,
      published: watch.published,
      accepted: watch.accepted,
      outcomes: watch.outcomes,
      deadLetters: watch.deadLetters,
      gaps: watch.gaps,
      troubles: this.#faults.troubles,
      standing: new Map(
        platforms.map((platform) => [
          platform.name,
          new Map(
            [...platform.standing()].map(([destination, texts]) => [destination, texts.flatMap(readWords)]),
          ),
        ]),
      ),
    };
  }
}

/** Milliseconds within which the service's complaints of one kind are told once. */
const SAME_COMPLAINT_MS = 2_000;

/** What the service says about a message belongs to the message's history; its warnings concern everybody. */
function logListener(journal: Journal): (line: Readonly<Record<string, unknown>>) => void {
  const told = new Map<string, number>();
  return ({ message, severity, time: _time, ...fields }) => {
    const what = String(message);
    const about = [fields['event'], fields['envelope']].filter((value) => typeof value === 'string');
    if (about.length === 0) {
      if (severity === 'DEBUG' || severity === 'INFO') return;
      if (journal.now() - (told.get(what) ?? -Infinity) < SAME_COMPLAINT_MS) return;
      told.set(what, journal.now());
    }
    journal.note(`service: ${what} ${JSON.stringify(fields)}`, ...about);
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
