import { setTimeout as delay } from 'node:timers/promises';
import { laneOf } from '../fault.js';
import { type TroubleFact } from '../facts.js';
import { type Journal } from '../journal.js';
import { type FaultStep } from '../plan.js';
import { Random } from '../random.js';

/** Causes faults and heals them, one at a time per lane. */
export class FaultRunner {
  /** How often each was caused. */
  readonly caused = new Map<string, number>();
  readonly #tails = new Map<string, Promise<void>>();
  readonly #active = new Set<string>();
  readonly #troubles: (TroubleFact & { to: number; lendsUntil?: number | undefined })[] = [];
  #ending = new AbortController();

  constructor(
    private readonly journal: Journal,
    /** Whether at the end each fault that was not caused yet is caused once. */
    private readonly eachOnce: boolean,
  ) {}

  /** Names of those at work. */
  get active(): readonly string[] {
    return [...this.#active];
  }

  /** What was caused; what is at work has no end yet. */
  get troubles(): readonly TroubleFact[] {
    return this.#troubles;
  }

  /** Causes it as soon as its lane is free. */
  run(step: FaultStep): void {
    const lane = laneOf(step.fault.name);
    const before = this.#tails.get(lane) ?? Promise.resolve();
    this.#tails.set(
      lane,
      before.then(() => this.#run(step, lane)),
    );
  }

  /**
   * Causes nothing more of what waits, but for `eachOnce`; resolves when all that was caused is healed.
   * Afterwards a further run may begin.
   */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#tails.values());
    this.#ending = new AbortController();
  }

  async #run({ durationMs, fault, seed }: FaultStep, lane: string): Promise<void> {
    const { signal } = this.#ending;
    const { name } = fault;
    const isOver = signal.aborted;
    if (isOver && !(this.eachOnce && !this.caused.has(name))) return;
    const trouble: TroubleFact & { to: number; lendsUntil?: number | undefined } = {
      name,
      lane,
      isStandstill: fault.isStandstill === true,
      detectionMs: fault.detectionMs,
      isOverlap: fault.isOverlap === true,
      from: this.journal.now(),
      to: Infinity,
    };
    if (fault.disturbs !== false) this.#troubles.push(trouble);
    this.#active.add(name);
    this.journal.note(`FAULT ${name} for ${durationMs} ms`);
    try {
      const heal = await fault.cause({ durationMs, random: new Random(seed) });
      this.caused.set(name, (this.caused.get(name) ?? 0) + 1);
      if (fault.severs === true) trouble.lendsUntil = this.journal.now();
      await delay(durationMs, undefined, isOver ? {} : { signal }).catch(() => undefined);
      await heal?.();
      this.journal.note(`FAULT ${name} is over`);
    } catch (error) {
      this.journal.note(`FAULT ${name} could not be caused or healed: ${String(error)}`);
    } finally {
      trouble.to = this.journal.now();
      this.#active.delete(name);
    }
  }
}
