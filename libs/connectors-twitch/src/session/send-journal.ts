import { type CursorStore, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, withTimeout } from '@bitbrat/foundation';
import { type NotedProcess, type NotedSend, readSendNote, writeSendNote } from './send-note.js';

/** Key in the cursor store; its value is a `SendNote`. */
const SENDS = 'sends';

/** Milliseconds that a send waits for the store. Without it the account's budget is halved. */
const STORE_TIMEOUT_MS = 1_000;

/** One message that counts. */
interface Send extends NotedSend {
  /** When it was sent, by the monotonic clock of this process. */
  readonly sentAt: number;
}

interface Foreign {
  readonly id: string;
  readonly hasEnded: boolean;
  readonly sends: readonly Send[];
}

export interface JournalOptions {
  readonly cursors: CursorStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Names this process among those that use the account. */
  readonly processId: string;
  /** For how long a message counts, in milliseconds. */
  readonly windowMs: number;
  /** To be called when the store has told something new. */
  readonly onChanged: () => void;
}

/**
 * Which messages the account has sent of late, by this process and others, kept in the store: a message is noted before it
 * goes out. A date by which a message would be older than the note allows, or not yet sent, comes from a wrong clock: such
 * a message counts from when it is read. Clocks that differ by less use up the margin of the rate limit (two seconds).
 */
export class SendJournal {
  readonly #options: JournalOptions;
  #own: Send[] = [];
  #foreign: readonly Foreign[] = [];
  /** What the note held when it was last read, forgotten sends included. */
  #noted: readonly Foreign[] = [];
  /** By the monotonic clock. */
  #mutedUntil = -Infinity;
  #hasLoaded = false;
  /** When the note was last read, by the monotonic clock. */
  #readAt = -Infinity;
  #isRead = true;
  #isKept = true;
  #hasEnded = false;
  #loading: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Whether the store has told what was sent before this process, and keeps what this one sends. */
  get isReliable(): boolean {
    return this.#hasLoaded && this.#isRead && this.#isKept;
  }

  /** Whether it is known what was sent before this process. */
  get hasLoaded(): boolean {
    return this.#hasLoaded;
  }

  /** When this process has sent, by the monotonic clock, oldest first. */
  get own(): readonly number[] {
    this.#forget();
    return this.#own.map(({ sentAt }) => sentAt);
  }

  /** When any process has sent, by the monotonic clock, oldest first. */
  get all(): readonly number[] {
    return this.#sends()
      .map(({ sentAt }) => sentAt)
      .sort((a, b) => a - b);
  }

  /** Processes that use the account, this one included. One that has sent nothing of late does not count. */
  get processes(): number {
    this.#forget();
    return 1 + this.#foreign.filter(({ hasEnded, sends }) => !hasEnded && sends.length > 0).length;
  }

  /** By the monotonic clock. */
  get mutedUntil(): number {
    return this.#mutedUntil;
  }

  /** When a message was last sent to the channel, by the monotonic clock. */
  lastIn(channel: string): number {
    return this.#sends()
      .filter((send) => send.channel === channel)
      .reduce((last, { sentAt }) => Math.max(last, sentAt), -Infinity);
  }

  /** Whether this part was sent of late, and was not refused. */
  wasTried(nonce: string): boolean {
    return this.#sends().some((send) => send.nonce === nonce);
  }

  /** Reads what other processes have sent. Resolves after a second at the latest; never rejects. */
  async refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#wait(this.#loading, () => {
      this.#isRead = false;
    });
  }

  /** Counts a message at once; resolves when that is durable, after a second at the latest. Never rejects. */
  async add(channel: string, nonce: string): Promise<void> {
    const { clock } = this.#options;
    this.#own.push({ at: clock.now(), sentAt: clock.monotonic(), channel, nonce });
    await this.#waitForSave();
  }

  /** The last try of this part was refused: it still counts, but it does not exist. Earlier tries may. */
  refused(nonce: string): void {
    const last = this.#own.findLastIndex((send) => send.nonce === nonce);
    this.#own = this.#own.map((send, i) => (i === last ? { ...send, nonce: '' } : send));
  }

  /** Twitch ignores the account for so long from now on; 0: it does not. */
  mute(ms: number): void {
    const before = this.#mutedUntil;
    const now = this.#options.clock.monotonic();
    this.#mutedUntil = ms > 0 ? now + ms : -Infinity;
    if (ms > 0 || before > now) void this.#save();
  }

  /** This process sends nothing more. Resolves after a second at the latest; never rejects. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    if (this.own.length > 0) await this.#waitForSave();
  }

  /** This process sends again. */
  begin(): void {
    this.#hasEnded = false;
  }

  async #load(): Promise<void> {
    try {
      const text = await this.#options.cursors.load(SENDS);
      const note = text === undefined ? { processes: [], mutedUntil: 0, mutedForMs: 0 } : readSendNote(text);
      if (note === undefined) throw new Error('what the store holds is no note of sends');
      this.#take(note.processes);
      const mutedForMs = Math.min(note.mutedUntil - this.#options.clock.now(), note.mutedForMs);
      if (!this.#hasLoaded && mutedForMs > 0) this.#mutedUntil = this.#options.clock.monotonic() + mutedForMs;
      const wasKnown = this.#hasLoaded;
      this.#hasLoaded = true;
      this.#isRead = true;
      // What the store has not taken while it was away is kept from now on.
      if (!this.#isKept) await this.#save();
      if (!wasKnown) this.#options.onChanged();
    } catch (reason) {
      this.#isRead = false;
      this.#onRefused(reason);
    }
  }

  #take(processes: readonly NotedProcess[]): void {
    const { clock, processId, windowMs } = this.#options;
    const now = clock.monotonic();
    const ahead = clock.now() - now;
    // What is new in the note was sent since it was read. At the first time nobody knows how old the note is.
    const earliest = Math.max(this.#readAt, now - windowMs);
    this.#readAt = now;
    const known = new Map(this.#noted.map((process) => [process.id, process.sends]));
    this.#noted = processes
      .filter(({ id }) => id !== processId)
      .map(({ hasEnded, id, sends }) => {
        const before = known.get(id) ?? [];
        // What was read once keeps its age, so that a clock that is set afterwards changes nothing.
        const sentAt = ({ at }: NotedSend): number => {
          const dated = at - ahead;
          const isPlausible = dated >= earliest && dated <= now;
          return before.find((send) => send.at === at)?.sentAt ?? (isPlausible ? dated : now);
        };
        return { id, hasEnded, sends: sends.map((send) => ({ ...send, sentAt: sentAt(send) })) };
      });
    this.#foreign = this.#noted;
  }

  /** One after the other; what comes while one is written goes with the next. */
  #save(): Promise<void> {
    this.#queued ??= this.#saving.then(() => {
      this.#queued = undefined;
      return this.#saveNow();
    });
    this.#saving = this.#queued;
    return this.#queued;
  }

  async #saveNow(): Promise<void> {
    const { clock, cursors, processId } = this.#options;
    this.#forget();
    const mutedForMs = Math.max(0, this.#mutedUntil - clock.monotonic());
    const note = {
      processes: [...this.#foreign, { id: processId, hasEnded: this.#hasEnded, sends: this.#own }],
      mutedUntil: mutedForMs === 0 ? 0 : clock.now() + mutedForMs,
      mutedForMs,
    };
    try {
      await cursors.save(SENDS, writeSendNote(note));
      this.#isKept = true;
    } catch (reason) {
      this.#isKept = false;
      this.#onRefused(reason);
    }
  }

  #waitForSave(): Promise<void> {
    return this.#wait(this.#save(), () => {
      this.#isKept = false;
    });
  }

  /** Waits for the store, but not for long; what it answers later still counts. */
  async #wait(work: Promise<void>, onTimeout: () => void): Promise<void> {
    try {
      await withTimeout(this.#options.clock, work, STORE_TIMEOUT_MS, () => new Error('no answer in time'));
    } catch (reason) {
      onTimeout();
      this.#onRefused(reason);
    }
  }

  #onRefused(reason: unknown): void {
    this.#options.logger.warn('twitch.sends-not-noted', { reason: toConnectorError(reason).message });
  }

  #sends(): readonly Send[] {
    this.#forget();
    return [...this.#own, ...this.#foreign.flatMap(({ sends }) => sends)];
  }

  #forget(): void {
    const oldest = this.#options.clock.monotonic() - this.#options.windowMs;
    const isRecent = ({ sentAt }: Send): boolean => sentAt > oldest;
    this.#own = this.#own.filter(isRecent);
    this.#foreign = this.#foreign
      .map((process) => ({ ...process, sends: process.sends.filter(isRecent) }))
      .filter(({ sends }) => sends.length > 0);
  }
}
