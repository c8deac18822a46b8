import { type Clock, type ConnectorError, type Logger, toConnectorError } from '@bitbrat/connectors-core';
import { LRUCache } from 'lru-cache';
import { type RestConversation, type TwilioRest } from './twilio-rest.js';

/** Conversations of which it is remembered that they were looked at. */
const REMEMBERED = 10_000;

/** Requests at once. */
const CONCURRENCY = 4;

/** Failed joins after which a pass ends: the platform is not well, or the bot may be in no further conversation. */
const MAX_FAILURES = 5;

/** Milliseconds that a pass looks further back than the one before began: the platform's clock is not ours, and its lists may lag. */
const OVERLAP_MS = 15 * 60_000;

export interface ReconcilerOptions {
  readonly rest: Pick<TwilioRest, 'conversationsSince'>;
  /** Adds the bot. @throws ConnectorError */
  readonly join: (conversationSid: string, signal: AbortSignal) => Promise<void>;
  /** Milliseconds: older conversations are left alone. */
  readonly historyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who is where, and whom to tell, in one pass. */
export interface ReconcileRun {
  readonly isJoined: (conversationSid: string) => boolean;
  readonly onJoined: (conversationSid: string) => void;
  readonly signal: AbortSignal;
}

interface Pass extends ReconcileRun {
  joined: number;
  failures: number;
  /** Why nothing more is tried in this pass. */
  stopped: ConnectorError | undefined;
}

/**
 * Adds the bot to conversations of which no webhook has told: the service was down, or the webhook and its repeat were lost.
 *
 * A pass lists what was created since the one before, the first one since the history bound: one request as a rule. Each conversation is joined
 * once, so that a person who removes the bot afterwards is not overruled. Relies on the list's order only where it sees it: a page that is
 * sorted as documented, the newest first, and wholly older than what is looked for is the last one.
 */
export class ConversationReconciler {
  readonly #options: ReconcilerOptions;
  readonly #settled = new LRUCache<string, true>({ max: REMEMBERED });
  /** Joins that have failed: SID to the time of creation, those tried last at the end. */
  readonly #owed = new Map<string, number>();
  #complete = -Infinity;
  #notBefore = -Infinity;
  #running: Promise<void> | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** One pass; a call during a pass is that pass. Never rejects: what failed is tried again in the next one. */
  run(run: ReconcileRun): Promise<void> {
    this.#running ??= this.#run({ ...run, joined: 0, failures: 0, stopped: undefined }).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(pass: Pass): Promise<void> {
    const { clock, historyMs, logger } = this.#options;
    const startedAt = clock.now();
    if (clock.monotonic() < this.#notBefore) return;
    const oldest = startedAt - historyMs;
    for (const [sid, createdAt] of this.#owed) if (createdAt < oldest) this.#owed.delete(sid);
    const owed = [...this.#owed.keys()];
    try {
      // A clock that was set back since must not leave anything out.
      const since = Math.min(this.#complete, startedAt) - OVERLAP_MS;
      await this.#joinSince(Math.max(oldest, since), pass);
      await this.#joinAll(owed, pass);
      if (pass.stopped === undefined && !pass.signal.aborted) this.#complete = startedAt;
    } catch (reason) {
      pass.stopped = toConnectorError(reason);
    }
    if (pass.joined > 0) logger.info('twilio.conversations-found', { joined: pass.joined });
    if (pass.stopped === undefined || pass.signal.aborted) return;
    const { code, message, retryAfterMs } = pass.stopped;
    if (retryAfterMs !== undefined) this.#notBefore = clock.monotonic() + retryAfterMs;
    logger.warn('twilio.reconcile-failed', { code, reason: message });
  }

  async #joinSince(since: number, pass: Pass): Promise<void> {
    for await (const page of this.#options.rest.conversationsSince(since, pass.signal)) {
      const created = page.map(createdAt);
      const missing = page.filter((conversation, i) => {
        const isNew = (created[i] ?? Infinity) >= since && conversation.state !== 'closed';
        return isNew && !this.#isSettled(conversation.sid, pass);
      });
      for (const conversation of missing) this.#owed.set(conversation.sid, createdAt(conversation));
      await this.#joinAll(
        missing.map(({ sid }) => sid),
        pass,
      );
      const isSorted = created.every((time, i) => time <= (created[i - 1] ?? Infinity));
      if (pass.stopped !== undefined || (isSorted && (created[0] ?? Infinity) < since)) return;
    }
  }

  #isSettled(sid: string, { isJoined }: Pass): boolean {
    if (this.#owed.has(sid) || this.#settled.has(sid)) return true;
    if (isJoined(sid)) this.#settled.set(sid, true);
    return this.#settled.has(sid);
  }

  async #joinAll(sids: readonly string[], pass: Pass): Promise<void> {
    const queue = [...sids];
    const work = async (): Promise<void> => {
      while (pass.stopped === undefined && !pass.signal.aborted) {
        const sid = queue.shift();
        if (sid === undefined) return;
        await this.#join(sid, pass);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }

  async #join(sid: string, pass: Pass): Promise<void> {
    const { join, logger } = this.#options;
    try {
      // A webhook may have been faster.
      const wasJoined = pass.isJoined(sid);
      if (!wasJoined) await join(sid, pass.signal);
      this.#owed.delete(sid);
      this.#settled.set(sid, true);
      if (wasJoined) return;
      pass.joined += 1;
      pass.onJoined(sid);
    } catch (reason) {
      const error = toConnectorError(reason);
      const createdAt = this.#owed.get(sid) ?? Infinity;
      this.#owed.delete(sid);
      if (error.code === 'TARGET_NOT_FOUND') return;
      this.#owed.set(sid, createdAt);
      if (pass.signal.aborted) return;
      logger.warn('twilio.join-failed', { conversationSid: sid, code: error.code, reason: error.message });
      pass.failures += 1;
      const isAboutAll = error.code === 'RATE_LIMITED' || error.code === 'AUTH_FAILED';
      if (isAboutAll || pass.failures >= MAX_FAILURES) pass.stopped ??= error;
    }
  }
}

/** Milliseconds since 1970; Infinity, so never too old, where the platform tells none. */
function createdAt({ date_created: date }: RestConversation): number {
  const time = Date.parse(date ?? '');
  return Number.isNaN(time) ? Infinity : time;
}
