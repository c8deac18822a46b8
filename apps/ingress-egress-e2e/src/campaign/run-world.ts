import { account } from './account/account.js';
import { type Fault, LEASE_BREAKING, selectFaults } from './fault.js';
import { FaultRunner } from './machinery/fault-runner.js';
import { busFaults } from './faults/bus-faults.js';
import { clockFaults } from './faults/clock-faults.js';
import { deployFaults, serviceFaults } from './faults/service-faults.js';
import { firestoreFaults, stateFaults } from './faults/state-faults.js';
import { type BorderFact, type DeletionFact, type Facts } from './facts.js';
import { type Burst, LoadDriver } from './load/load-driver.js';
import { makePlan, type Step, TOKENS_OF_PLATFORM, TOKENS_OF_RUN } from './plan.js';
import { type RunParts, startParts, stopParts } from './run-parts.js';
import { type RunOptions, type RunReport, summarize } from './run-report.js';
import { toTrueGap } from './machinery/true-time.js';
import { type Finding, type Verdict } from './account/verdict.js';
import { readWords } from './load/words.js';

/** So many findings are told with their history; the rest are counted. */
const TOLD_FINDINGS = 20;

/** Everything that a run needs, started and connected: emulator, proxy, sandbox, service, bot. */
export class RunWorld {
  readonly #all: readonly Fault[];
  readonly #selected: readonly Fault[];
  readonly #borders: BorderFact[] = [];
  readonly #memoryMb: number[] = [];
  readonly #faults: FaultRunner;
  readonly #load: LoadDriver;
  readonly #startedAt = performance.now();

  private constructor(
    private readonly options: RunOptions,
    private readonly parts: RunParts,
  ) {
    const { bus, firestore, fleet, injector, journal, media, platforms, proxy, stateDirectory, watch } =
      parts;
    this.#faults = new FaultRunner(journal, options.eachOnce ?? false);
    this.#load = new LoadDriver(platforms, watch, journal, media);
    const processes = {
      fleet,
      proxy,
      platforms,
      burst: (burst: Burst) => {
        this.#load.burst(burst);
      },
    };
    this.#all = [
      ...platforms.flatMap((platform) => platform.faults),
      ...serviceFaults(processes),
      // A state file belongs to one process.
      ...(firestore === undefined
        ? stateFaults(stateDirectory, injector)
        : [...firestoreFaults(firestore.proxy), ...deployFaults(processes)]),
      ...clockFaults(injector),
      ...busFaults({ bus, proxy, watch, now: () => journal.now() }),
    ];
    const selected = selectFaults(this.#all, options.faults);
    this.#selected = selected.filter(({ quick }) => quick || !options.quickOnly);
  }

  /** @param logFile of the service */
  static async start(options: RunOptions, logFile: string): Promise<RunWorld> {
    return new RunWorld(options, await startParts(options, logFile));
  }

  /**
   * Starts the service and lets everybody write a first message.
   * @param run from 0; what the one before has left is left as it is, the service's process excepted
   * @returns what is to be played
   */
  async open(run: number): Promise<readonly Step[]> {
    const { fleet, journal, platforms, watch } = this.parts;
    if (run > 0) {
      await fleet.current.terminate();
      this.#borders.push({ published: watch.published.length, written: this.#load.written.length });
      journal.note(`run ${run + 1} begins`);
    }
    const plan = this.#makePlan(run);
    await fleet.current.start();
    await fleet.current.ready();
    await this.#checkConnectors();
    this.#memoryMb.push(fleet.current.memoryMb);
    const openings = platforms.flatMap(({ load, name }, i) =>
      Array.from({ length: load.people }, (_, person) =>
        this.#load.write({
          kind: 'write',
          at: 0,
          platform: name,
          person,
          token: `m${run * TOKENS_OF_RUN + (i + 1) * TOKENS_OF_PLATFORM - load.people + person}`,
          length: 20,
          answer: { words: 0, expiresInMs: undefined },
        }),
      ),
    );
    await Promise.all(openings);
    return plan;
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
    const { firestore, fleet, injector, journal, platforms, proxy, watch } = this.parts;
    await this.#load.end();
    await this.#faults.end();
    for (const platform of platforms) platform.heal();
    for (const { state } of [proxy, firestore?.proxy ?? proxy]) {
      Object.assign(state, { refusing: false, hanging: false, delayMs: 0 });
    }
    injector.heal();
    watch.release();
    await fleet.current.start();
    journal.note('everything is healed');
  }

  account(): Verdict {
    const { counts, findings, healMs } = account(this.#facts());
    const crashes: Finding[] = this.parts.crashes.map((reason) => ({
      kind: 'service ended by itself',
      detail: reason,
      keys: [],
    }));
    return { findings: [...findings, ...crashes], counts, healMs };
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
    const { fleet, journal, watch } = this.parts;
    const { memoryMb } = fleet.current;
    this.#memoryMb.push(memoryMb);
    const { counts, findings } = this.account();
    const caused = [...this.#faults.caused.values()].reduce((sum, count) => sum + count, 0);
    return [
      `${String(Math.round(journal.now() / 1_000)).padStart(5)} s`,
      `in ${counts.written} written ${counts.published} published ${counts.repeats} repeats`,
      `out ${counts.accepted} accepted ${counts.standing} standing ${watch.unsettled().length} unsettled`,
      `${findings.length} open`,
      `${caused} faults, now ${this.#faults.active.join(' ') || 'none'}`,
      `${memoryMb} MiB`,
    ].join(' | ');
  }

  report(verdict: Verdict): RunReport {
    const { fleet, journal } = this.parts;
    const memory = this.#memoryMb.filter((value) => value > 0);
    return {
      seed: this.options.seed,
      ok: verdict.findings.length === 0,
      seconds: Math.round((performance.now() - this.#startedAt) / 1_000),
      counts: verdict.counts,
      starts: fleet.starts,
      healMs: summarize(verdict.healMs),
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
    await stopParts(this.parts);
  }

  async #checkConnectors(): Promise<void> {
    const { fleet, platforms } = this.parts;
    for (const { name } of platforms) {
      const answer = await fetch(`${fleet.current.url}/_debug/${name}`);
      await answer.body?.cancel();
      if (answer.ok) continue;
      throw new Error(`the built service has no connector ${name}: leave it out by --platforms`);
    }
  }

  #makePlan(run: number): readonly Step[] {
    const { answers, platforms } = this.parts;
    const { outageMs, peace, rate, seed, spanMs } = this.options;
    const refuse = this.#all.find(({ name }) => name === 'bus.refuse');
    const long = outageMs === 0 || refuse === undefined ? undefined : { fault: refuse, durationMs: outageMs };
    const faults = this.#selected;
    const plan = makePlan({ seed: seed + run, run, spanMs, rate, platforms, faults, long, peace });
    for (const step of plan) {
      if (step.kind === 'write' && step.answer.words > 0) answers.set(step.token, step.answer);
    }
    return plan;
  }

  #deletions(): readonly DeletionFact[] {
    const { journal, platforms } = this.parts;
    const startedAt = Date.now() - journal.now();
    return platforms.flatMap((platform) =>
      platform
        .deletions()
        .map((deleted) => ({ ...deleted, platform: platform.name, at: deleted.wallTime - startedAt })),
    );
  }

  #facts(): Facts {
    const { injector, journal, platforms, stalls, told, watch } = this.parts;
    const startedAt = Date.now() - journal.now();
    return {
      startedAt,
      promises: new Map(platforms.map(({ name, promise }) => [name, promise])),
      written: this.#load.written,
      published: watch.published,
      accepted: watch.accepted,
      outcomes: watch.outcomes,
      deadLetters: watch.deadLetters,
      gaps: watch.gaps.map((gap) => toTrueGap(gap, injector.clock, startedAt + gap.at)),
      troubles: this.#faults.troubles,
      deletions: this.#deletions(),
      borders: this.#borders,
      states: told.states,
      retries: told.retries,
      stalls: stalls.stalls,
      standing: new Map(
        platforms.map((platform) => [
          platform.name,
          new Map(
            [...platform.standing()].map(([destination, messages]) => [
              destination,
              messages.map(({ id, text, wallTime }) => ({ id, wallTime, words: readWords(text) })),
            ]),
          ),
        ]),
      ),
    };
  }
}
