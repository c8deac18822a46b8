import {
  type Clock,
  type CursorStore,
  type IngressGap,
  isoTime,
  type Logger,
  toConnectorError,
  withTimeout,
} from '@bitbrat/connectors-core';

/** Key in the cursor store. Its value: until when the chat could be heard, RFC 3339. */
const HEARD_UNTIL = 'heard-until';

/** Milliseconds between two notes: a killed process reports a gap that is longer by this at most. */
const NOTE_EVERY_MS = 60_000;

/** Milliseconds for the store to take a note, which must not hold up a stop. */
const STORE_TIMEOUT_MS = 1_000;

/** Milliseconds for the store to answer at the start: a first request to Firestore, or a busy machine, takes its time. */
const LOAD_TIMEOUT_MS = 20_000;

/** Knows since when the chat could not be heard: after a lost connection, a stop, and a restart of the process. */
export class Presence {
  readonly #cursors: CursorStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #gap: { readonly since: number; readonly reason: string } | undefined;
  #hasLoaded = false;
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
    const found = await this.#ask(async () => (await this.#cursors.load(HEARD_UNTIL)) ?? '', LOAD_TIMEOUT_MS);
    const since = Date.parse(found ?? '');
    if (found === undefined) {
      this.#gap ??= {
        since: 0,
        reason: 'the state store does not answer, so the length of the gap is not known',
      };
    } else if (!Number.isNaN(since)) {
      this.#gap ??= { since, reason: 'the service was not running' };
    }
  }

  /**
   * The chat can be heard from now on. Returns what was missed, if that is known.
   * @param heardUntil until when nothing was missed, in milliseconds since 1970
   */
  begin(heardUntil: () => number): IngressGap | undefined {
    const gap = this.#gap;
    this.#gap = undefined;
    this.#note(heardUntil);
    if (gap === undefined) return undefined;
    return { from: isoTime(gap.since), to: isoTime(this.#clock.now()), reason: gap.reason };
  }

  /**
   * The chat cannot be heard any more. Of several calls in a row the first one counts. Resolves when that is noted; never rejects.
   * @param since milliseconds since 1970
   */
  async end(since: number, reason: string): Promise<void> {
    this.#cancel();
    if (this.#gap !== undefined) return;
    this.#gap = { since, reason };
    await this.#save(since);
  }

  #note(heardUntil: () => number): void {
    void this.#save(heardUntil());
    this.#cancel = this.#clock.setTimeout(() => {
      this.#note(heardUntil);
    }, NOTE_EVERY_MS);
  }

  async #save(until: number): Promise<void> {
    await this.#ask(() => this.#cursors.save(HEARD_UNTIL, isoTime(until)));
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
