import { ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { backoffMs, type BackoffPolicy, type Clock, type Logger } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { saysGone } from '../platform/errors.js';
import { JoinGate } from './join-gate.js';
import { PartialProblem, type ProblemReporter } from './partial-problem.js';
import { slowRetryMs } from './slow-retry.js';
import { type TwilioRest } from '../platform/twilio-rest.js';

/** Conversations of which it is remembered that the bot is in them. */
const REMEMBERED = 10_000;

/** Conversations that can wait to be joined. */
const MAX_OWED = 10_000;

/** Requests at once: Twilio allows an account 30 actions a second, and sending needs some of them. */
const CONCURRENCY = 8;

const BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 30_000 };

export interface JoinerOptions {
  readonly rest: Pick<TwilioRest, 'addParticipant'>;
  readonly identity: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** The bot was added: there is something to read. */
  readonly onJoined: (conversationSid: string) => void;
  readonly problems: ProblemReporter;
}

/** A conversation that the bot is to join. Times are the clock's monotonic ones. */
interface Owed {
  /** The time given by whoever asked first, in milliseconds since 1970. */
  readonly since: number;
  running: boolean;
  failures: number;
  notBefore: number;
  error: ConnectorError | undefined;
  waiters: {
    readonly resolve: (wasAdded: boolean) => void;
    readonly reject: (error: ConnectorError) => void;
  }[];
}

/**
 * Adds the bot to conversations: a few at once, in the order in which they were asked for, each until it has worked.
 *
 * What is refused for good is tried again slowly. What is refused for all conversations (too many of them, too many
 * requests, wrong credentials) holds up all of them, so that a hundred people who write cause one attempt, not a hundred.
 */
export class ConversationJoiner {
  readonly #options: JoinerOptions;
  readonly #gate: JoinGate;
  readonly #joined = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #owed = new Map<string, Owed>();
  readonly #refusing: PartialProblem;
  readonly #dueSince = new LRUCache<string, number>({ max: REMEMBERED });
  #running = 0;
  #abort: AbortController | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#gate = new JoinGate(options);
    this.#refusing = new PartialProblem('joining conversations', options.problems);
  }

  /** Conversations that wait to be joined. */
  get pending(): number {
    return this.#owed.size;
  }

  /** Whether a conversation that is asked for now has to wait for others. */
  get isBusy(): boolean {
    return this.#owed.size >= CONCURRENCY;
  }

  /** Begins, or goes on with what was left when it was stopped. */
  start(): void {
    this.#abort ??= new AbortController();
    this.#pump();
  }

  /** Ends the requests; what waits is kept for the next start. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#cancelTimer();
    for (const owed of this.#owed.values())
      settle(owed, new ConnectorError('NOT_CONNECTED', 'the connector stops'));
  }

  /** Whether the bot is in the conversation, as far as it is remembered. */
  isJoined(conversationSid: string): boolean {
    return this.#joined.has(conversationSid);
  }

  /** The time given to `ask` for a conversation that could not be joined at once: its older messages are not due. */
  dueSince(conversationSid: string): number | undefined {
    return this.#owed.get(conversationSid)?.since ?? this.#dueSince.get(conversationSid);
  }

  /** Conversations that wait, with the time given to `ask`: oldest first. */
  owed(): [conversationSid: string, since: number][] {
    return [...this.#owed].map(([sid, { since }]) => [sid, since]);
  }

  /**
   * Asks for the bot to be added, sooner or later.
   * @param since of when the oldest message is that must be heard, in milliseconds since 1970
   * @returns false where too many wait already
   */
  ask(conversationSid: string, since: number): boolean {
    if (this.#joined.has(conversationSid) || this.#owed.has(conversationSid)) return true;
    if (this.#owed.size >= MAX_OWED) return false;
    const state = { running: false, failures: 0, notBefore: -Infinity, error: undefined, waiters: [] };
    this.#owed.set(conversationSid, { since, ...state });
    this.#pump();
    return true;
  }

  /**
   * As `ask`, and resolves when the bot is in the conversation, to whether this has added it.
   * @throws ConnectorError why the attempt has failed; it is made again all the same
   */
  join(conversationSid: string, since: number): Promise<boolean> {
    if (this.#joined.has(conversationSid)) return Promise.resolve(false);
    if (this.#abort === undefined)
      return Promise.reject(new ConnectorError('NOT_CONNECTED', 'the connector is stopped'));
    if (!this.ask(conversationSid, since)) {
      return Promise.reject(new ConnectorError('RATE_LIMITED', 'too many conversations wait to be joined'));
    }
    const owed = this.#owed.get(conversationSid);
    if (owed === undefined) return Promise.resolve(false);
    const closed = this.#gate.closedBy();
    if (closed !== undefined && !owed.running) return Promise.reject(closed);
    const isWaiting = owed.notBefore > this.#options.clock.monotonic();
    if (isWaiting && owed.error?.failureClass !== 'transient') {
      return Promise.reject(owed.error ?? new ConnectorError('NOT_CONNECTED', 'waits to be joined'));
    }
    // Somebody has written again: that is worth another attempt now.
    owed.notBefore = -Infinity;
    return new Promise((resolve, reject) => {
      owed.waiters.push({ resolve, reject });
      this.#pump();
    });
  }

  /** The bot is in it, as the SDK says. */
  remember(conversationSid: string): void {
    this.#entered(conversationSid, false);
  }

  /** The bot may not be in it any more. */
  forget(conversationSid: string): void {
    this.#joined.delete(conversationSid);
  }

  /** The bot was removed from it, or it is gone. That makes room where the bot is in too many. */
  left(conversationSid: string): void {
    this.forget(conversationSid);
    this.#gate.roomMade();
    this.#pump();
  }

  #pump(): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    if (this.#abort === undefined || this.#owed.size === 0) return;
    while (this.#running < this.#gate.width(CONCURRENCY)) {
      const next = this.#next();
      if (next === undefined) break;
      void this.#attempt(next, this.#abort.signal);
    }
    const waitMs = this.#waitMs();
    if (waitMs !== undefined) {
      this.#cancelTimer = clock.setTimeout(() => {
        this.#pump();
      }, waitMs);
    }
  }

  #next(): string | undefined {
    const now = this.#options.clock.monotonic();
    for (const [sid, { notBefore, running }] of this.#owed) if (!running && notBefore <= now) return sid;
    return undefined;
  }

  /** Milliseconds until something can be tried; undefined where an attempt that runs decides. */
  #waitMs(): number | undefined {
    const now = this.#options.clock.monotonic();
    if (this.#running > 0 && this.#running >= this.#gate.width(CONCURRENCY)) return undefined;
    let notBefore = Infinity;
    for (const owed of this.#owed.values())
      if (!owed.running) notBefore = Math.min(notBefore, owed.notBefore);
    return notBefore === Infinity ? undefined : Math.max(1, notBefore - now, this.#gate.remainingMs);
  }

  async #attempt(conversationSid: string, signal: AbortSignal): Promise<void> {
    const owed = this.#owed.get(conversationSid);
    if (owed === undefined) return;
    const { identity, onJoined, rest } = this.#options;
    owed.running = true;
    this.#running += 1;
    try {
      const wasAdded = await rest.addParticipant(conversationSid, identity, signal);
      this.#gate.succeeded();
      this.#entered(conversationSid, wasAdded);
      if (!signal.aborted) onJoined(conversationSid);
    } catch (reason) {
      if (!signal.aborted) this.#failed(conversationSid, owed, toConnectorError(reason));
    } finally {
      owed.running = false;
      this.#running -= 1;
      this.#pump();
    }
  }

  #failed(conversationSid: string, owed: Owed, error: ConnectorError): void {
    const { clock, logger, random } = this.#options;
    owed.error = error;
    owed.failures += 1;
    const isAboutAll = this.#gate.refused(error);
    if (saysGone(error)) {
      logger.info('twilio.conversation-gone', { conversationSid, code: error.code, reason: error.message });
      this.#end(conversationSid, error);
      return;
    }
    const isLasting = error.failureClass !== 'transient';
    const backoff = isLasting ? slowRetryMs(owed.failures) : backoffMs(BACKOFF, owed.failures, random);
    const waitMs = isAboutAll ? 0 : Math.max(backoff, error.retryAfterMs ?? 0);
    owed.notBefore = clock.monotonic() + waitMs;
    logger.warn('twilio.join-failed', {
      conversationSid,
      code: error.code,
      reason: error.message,
      failures: owed.failures,
      waitMs: Math.max(waitMs, this.#gate.remainingMs),
    });
    if (isLasting && !isAboutAll) this.#refusing.failed(conversationSid, error, waitMs);
    // What holds up all is the answer to everyone who waits.
    for (const each of isAboutAll ? this.#owed.values() : [owed]) settle(each, error);
  }

  #entered(conversationSid: string, wasAdded: boolean): void {
    this.#joined.set(conversationSid, true);
    const owed = this.#owed.get(conversationSid);
    if (owed !== undefined) this.#dueSince.set(conversationSid, owed.since);
    this.#end(conversationSid, wasAdded);
  }

  #end(conversationSid: string, result: ConnectorError | boolean): void {
    const owed = this.#owed.get(conversationSid);
    this.#owed.delete(conversationSid);
    if (owed !== undefined) settle(owed, result);
    this.#refusing.solved(conversationSid);
  }
}

/** @param result why it has failed, or whether it has added the bot */
function settle(owed: Owed, result: ConnectorError | boolean): void {
  for (const { reject, resolve } of owed.waiters.splice(0)) {
    if (result instanceof ConnectorError) reject(result);
    else resolve(result);
  }
}
