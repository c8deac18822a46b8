import { type Clock, type Logger, messageOf } from '@bitbrat/foundation';
import { type StateStore } from '@bitbrat/state-store';

/** Milliseconds between two signs of life of a process that has events in hand. */
const BEAT_MS = 2_500;
/** A process whose sign of life has not changed for so long, seen by our own monotonic clock, is dead. */
export const DEAD_AFTER_MS = 10_000;
/** Without a sign of life for so long a process must assume that others may soon take it for dead. */
const UNCERTAIN_AFTER_MS = 4_000;
/** Observations with a longer pause between them prove nothing. */
const MAX_PAUSE_MS = 3_000;

interface Observation {
  readonly value: string | undefined;
  /** By the monotonic clock. */
  readonly since: number;
  readonly lastAt: number;
}

/**
 * Tells processes that share the store which of them are alive: each that has events in hand counts up a value of its own,
 * and whoever waits for one watches that value. No clock of another machine is compared.
 */
export class ProcessPresence {
  readonly #observed = new Map<string, Observation>();
  /** The last look at each process that is dead. */
  readonly #dead = new Map<string, Pick<Observation, 'value' | 'lastAt'>>();
  #beats = 0;
  /** Start of the last sign of life that the store has taken, by the monotonic clock. */
  #lastBeatAt = 0;
  #cancel: (() => void) | undefined;
  /** An event was in hand since the last sign of life: one that is taken and ended in between counts, too. */
  #wasBusy = false;

  constructor(
    private readonly store: Pick<StateStore, 'get' | 'set' | 'delete'>,
    private readonly epoch: string,
    /** Whether an event is in hand now. */
    private readonly isBusy: () => boolean,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** To be called when an event is taken in hand. */
  begin(): void {
    this.#wasBusy = true;
    if (this.#cancel !== undefined) return;
    this.#lastBeatAt = this.clock.monotonic();
    this.#schedule();
  }

  /** No sign of life follows; the last one is taken back. Never rejects. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#beats === 0) return;
    await this.store.delete(keyOf(this.epoch)).catch(() => undefined);
  }

  /** Whether no other process can take this one for dead now. */
  get isCertain(): boolean {
    return this.clock.monotonic() - this.#lastBeatAt < UNCERTAIN_AFTER_MS;
  }

  /** What was claimed is confirmed by a look at the store that began at `at`, by the monotonic clock. */
  confirmed(at: number): void {
    this.#lastBeatAt = Math.max(this.#lastBeatAt, at);
  }

  /** Only after a recent look: a process that stood still for a while goes on, and gives signs of life again. */
  isDead(epoch: string): boolean {
    const dead = this.#dead.get(epoch);
    return dead !== undefined && this.clock.monotonic() - dead.lastAt <= MAX_PAUSE_MS;
  }

  /** Looks whether a process lives; to be called every second or two until `isDead`, or until its event is done. Never rejects. */
  async observe(epoch: string): Promise<void> {
    const now = this.clock.monotonic();
    let value: string | undefined;
    try {
      value = await this.store.get(keyOf(epoch));
    } catch {
      // What cannot be seen proves nothing.
      this.#observed.delete(epoch);
      return;
    }
    const dead = this.#dead.get(epoch);
    if (dead !== undefined && (value === undefined || value === dead.value)) {
      this.#dead.set(epoch, { value: dead.value, lastAt: now });
      return;
    }
    this.#dead.delete(epoch);
    const known = this.#observed.get(epoch);
    const isSame = known !== undefined && known.value === value && now - known.lastAt <= MAX_PAUSE_MS;
    const since = isSame ? known.since : now;
    this.#observed.set(epoch, { value, since, lastAt: now });
    if (now - since < DEAD_AFTER_MS) return;
    this.#dead.set(epoch, { value, lastAt: now });
    this.#observed.delete(epoch);
    this.logger.warn('egress.process-dead', { epoch });
    if (value !== undefined) await this.store.delete(keyOf(epoch)).catch(() => undefined);
  }

  /** Gives a sign of life now. Never rejects. */
  async #beat(): Promise<void> {
    const at = this.clock.monotonic();
    this.#beats += 1;
    try {
      await this.store.set(keyOf(this.epoch), String(this.#beats));
      this.confirmed(at);
    } catch (error) {
      this.logger.debug('egress.presence-not-kept', { reason: messageOf(error) });
    }
  }

  #schedule(): void {
    this.#cancel = this.clock.setTimeout(() => {
      this.#cancel = undefined;
      if (!this.#wasBusy && !this.isBusy()) return;
      this.#wasBusy = false;
      this.#schedule();
      void this.#beat();
    }, BEAT_MS);
  }
}

const keyOf = (epoch: string): string => `egress-alive/${epoch}`;
