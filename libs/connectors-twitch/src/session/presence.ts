import { type CursorStore, type IngressGap, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, isoTime, type Logger, withTimeout } from '@bitbrat/foundation';
import { readNote, writeNote } from './presence-note.js';

/** Key in the cursor store; its value is a `PresenceNote`. */
const PRESENCE = 'presence';

/** Milliseconds between two notes: a killed process reports a gap that is longer by this at most. */
const NOTE_EVERY_MS = 60_000;

/** Milliseconds until a note that the store has not taken is tried again. */
const RETRY_MS = 5_000;

/** Milliseconds for the store to take a note, which must not hold up a stop. */
const STORE_TIMEOUT_MS = 1_000;

/** Milliseconds for the store to answer at the start: a first request to Firestore, or a busy machine, takes its time. */
const LOAD_TIMEOUT_MS = 20_000;

/** Since when something cannot be heard, in milliseconds since 1970, and why. */
export interface Absence {
  readonly since: number;
  readonly reason: string;
}

/**
 * Knows since when the chat could not be heard: after a lost connection, a stop, and a restart of the process. Keeps each gap until it is told,
 * beyond the end of the process, too.
 */
export class Presence {
  readonly #cursors: CursorStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** The chat cannot be heard, as long as this is set. */
  #absence: Absence | undefined;
  /** Gaps of which it is not known that the bus has them. */
  readonly #untold = new Map<IngressGap, 'waiting' | 'being told'>();
  #heardUntil: (() => number) | undefined;
  #missing: (until: number) => readonly IngressGap[] = () => [];
  #hasLoaded = false;
  #saving: Promise<unknown> = Promise.resolve();
  #queued: Promise<boolean> | undefined;
  #cancel: () => void = () => undefined;

  constructor(cursors: CursorStore, clock: Clock, logger: Logger) {
    this.#cursors = cursors;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * To be called before the first `begin`: what an earlier process has noted counts once. Never rejects; where the store does not
   * answer, the gap is told from the beginning of time, for nobody knows how long it is.
   */
  async load(): Promise<void> {
    if (this.#hasLoaded) return;
    this.#hasLoaded = true;
    const found = await this.#ask(async () => (await this.#cursors.load(PRESENCE)) ?? '', LOAD_TIMEOUT_MS);
    if (found === undefined) {
      this.#absence ??= {
        since: 0,
        reason: 'the state store does not answer, so the length of the gap is not known',
      };
      return;
    }
    const note = readNote(found);
    if (note === undefined) return;
    for (const gap of note.untold) this.#untold.set(gap, 'waiting');
    this.#absence ??= { since: note.heardUntil, reason: 'the service was not running' };
  }

  /**
   * The chat can be heard from now on. Returns what was missed, if that is known; it is among `takeUntold`, too.
   * @param heardUntil until when nothing was missed, in milliseconds since 1970
   * @param missing what is being missed nevertheless, up to then, and is not added yet: when the chat cannot be heard any more, or the process is
   * killed, it counts as added
   */
  begin(
    heardUntil: () => number,
    missing: (until: number) => readonly IngressGap[] = () => [],
  ): IngressGap | undefined {
    const gap = this.#absence === undefined ? undefined : toGap(this.#absence, this.#clock.now());
    this.#absence = undefined;
    this.#heardUntil = heardUntil;
    this.#missing = missing;
    if (gap !== undefined) this.#untold.set(gap, 'waiting');
    void this.#note();
    return gap;
  }

  /**
   * The chat cannot be heard any more. Of several calls in a row the first one counts. Resolves when that is noted; never rejects.
   * @param since milliseconds since 1970
   */
  async end(since: number, reason: string): Promise<void> {
    this.#cancel();
    if (this.#absence !== undefined) return;
    this.#absence = { since, reason };
    this.#heardUntil = undefined;
    for (const gap of this.#missing(since)) this.#untold.set(gap, 'waiting');
    this.#missing = () => [];
    await this.#save();
  }

  /** Something else was missed, while the chat could be heard. */
  add(gap: IngressGap): void {
    this.#untold.set(gap, 'waiting');
    void this.#save();
  }

  /** The gaps that are to be told now, oldest first. Each is given once, and again after `settle` with `false`. */
  takeUntold(): IngressGap[] {
    const waiting = [...this.#untold].flatMap(([gap, stage]) => (stage === 'waiting' ? [gap] : []));
    for (const gap of waiting) this.#untold.set(gap, 'being told');
    return waiting;
  }

  /** @param isTold whether the bus has the gap: only then is it forgotten */
  settle(gap: IngressGap, isTold: boolean): void {
    if (!isTold) {
      this.#untold.set(gap, 'waiting');
      return;
    }
    this.#untold.delete(gap);
    void this.#save();
  }

  async #note(): Promise<void> {
    this.#cancel();
    const heardUntil = this.#heardUntil;
    const isSaved = await this.#save();
    if (heardUntil === undefined || this.#heardUntil !== heardUntil) return;
    this.#cancel();
    this.#cancel = this.#clock.setTimeout(
      () => {
        void this.#note();
      },
      isSaved ? NOTE_EVERY_MS : RETRY_MS,
    );
  }

  /** Resolves to whether the store has taken it. One after the other, so that an older note never replaces a newer one. */
  #save(): Promise<boolean> {
    this.#queued ??= this.#saving.then(() => {
      this.#queued = undefined;
      return this.#saveNow();
    });
    this.#saving = this.#queued;
    return this.#queued;
  }

  async #saveNow(): Promise<boolean> {
    const heardUntil = this.#absence?.since ?? this.#heardUntil?.();
    if (heardUntil === undefined) return true;
    const untold = [...this.#untold.keys(), ...this.#missing(heardUntil)];
    const text = writeNote({ heardUntil, untold });
    const saved = await this.#ask(() => this.#cursors.save(PRESENCE, text).then(() => true));
    return saved === true;
  }

  async #ask<T>(call: () => Promise<T>, limitMs = STORE_TIMEOUT_MS): Promise<T | undefined> {
    try {
      return await withTimeout(this.#clock, call(), limitMs, () => new Error('no answer in time'));
    } catch (reason) {
      this.#logger.warn('twitch.presence-not-noted', { reason: toConnectorError(reason).message });
      return undefined;
    }
  }
}

/**
 * The gap that an absence is.
 * @param now milliseconds since 1970, as `until`: its end
 */
export function toGap({ reason, since }: Absence, now: number, until = now): IngressGap {
  if (since <= now) return { from: isoTime(since), to: isoTime(until), reason };
  const why = `${reason}; the machine's clock was set back, so the length of the gap is not known`;
  return { from: isoTime(0), to: isoTime(until), reason: why };
}
