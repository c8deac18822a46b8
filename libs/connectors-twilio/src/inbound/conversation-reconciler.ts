import { type ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { HoldReport } from './hold-report.js';
import { type ProblemReporter } from './partial-problem.js';
import { type RestConversation, type TwilioRest } from '../platform/twilio-rest.js';

/** Conversations of which it is remembered that they were looked at. */
const REMEMBERED = 10_000;

/** Milliseconds that a pass looks further back than the one before began: the platform's lists may lag. */
const OVERLAP_MS = 15 * 60_000;

export interface ReconcilerOptions {
  readonly rest: Pick<TwilioRest, 'conversationsSince'> & {
    readonly time: Pick<TwilioRest['time'], 'learn' | 'now'>;
  };
  /** Milliseconds: older conversations are left alone. */
  readonly historyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly problems: ProblemReporter;
}

/** Who is where, and whom to tell, in one pass. */
export interface ReconcileRun {
  readonly isJoined: (conversationSid: string) => boolean;
  /** The bot is not in it. @returns false where it cannot be joined now: the next pass names it again */
  readonly onMissing: (conversationSid: string) => boolean;
  readonly signal: AbortSignal;
}

interface Pass extends ReconcileRun {
  found: number;
  refused: number;
}

/**
 * Finds conversations of which no webhook has told: the service was down, or the webhook and its repeat were lost.
 *
 * A pass lists what was created since the one before, the first one since the history bound: one request as a rule. Each
 * conversation is named once, so that a person who removes the bot afterwards is not overruled. Times are the platform's.
 * Relies on the list's order only where it sees it: a page that is sorted as documented, the newest first, and wholly older
 * than what is looked for is the last one.
 */
export class ConversationReconciler {
  readonly #options: ReconcilerOptions;
  readonly #hold: HoldReport;
  readonly #settled = new LRUCache<string, true>({ max: REMEMBERED });
  #complete = -Infinity;
  #notBefore = -Infinity;
  #running: Promise<void> | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#hold = new HoldReport({ subject: 'finding conversations', ...options });
  }

  /** One pass; a call during a pass is that pass. Never rejects: what failed is tried again in the next one. */
  run(run: ReconcileRun): Promise<void> {
    this.#running ??= this.#run({ ...run, found: 0, refused: 0 }).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(pass: Pass): Promise<void> {
    const { clock, historyMs, logger, rest } = this.#options;
    if (clock.monotonic() < this.#notBefore) return;
    try {
      await rest.time.learn();
      const startedAt = rest.time.now();
      // A clock that was set back since must not leave anything out.
      const since = Math.min(this.#complete, startedAt) - OVERLAP_MS;
      await this.#findSince(Math.max(startedAt - historyMs, since), pass);
      if (!pass.signal.aborted) this.#hold.ended();
      if (pass.refused === 0 && !pass.signal.aborted) this.#complete = startedAt;
    } catch (reason) {
      if (!pass.signal.aborted) this.#failed(toConnectorError(reason));
    }
    if (pass.found > 0) logger.info('twilio.conversations-found', { found: pass.found });
  }

  #failed(error: ConnectorError): void {
    const { clock, logger } = this.#options;
    const { code, message, retryAfterMs } = error;
    logger.warn('twilio.reconcile-failed', { code, reason: message });
    if (retryAfterMs === undefined) return;
    this.#notBefore = clock.monotonic() + retryAfterMs;
    this.#hold.held(error, retryAfterMs);
  }

  async #findSince(since: number, pass: Pass): Promise<void> {
    for await (const page of this.#options.rest.conversationsSince(since, pass.signal)) {
      const created = page.map(createdAt);
      for (const [i, { sid, state }] of page.entries()) {
        const isNew = (created[i] ?? Infinity) >= since && state !== 'closed';
        if (isNew && !pass.signal.aborted) this.#look(sid, pass);
      }
      const isSorted = created.every((time, i) => time <= (created[i - 1] ?? Infinity));
      if (pass.signal.aborted || (isSorted && (created[0] ?? Infinity) < since)) return;
    }
  }

  #look(sid: string, pass: Pass): void {
    if (this.#settled.has(sid)) return;
    if (!pass.isJoined(sid)) {
      if (!pass.onMissing(sid)) {
        pass.refused += 1;
        return;
      }
      pass.found += 1;
    }
    this.#settled.set(sid, true);
  }
}

/** Milliseconds since 1970; Infinity, so never too old, where the platform tells none. */
function createdAt({ date_created: date }: RestConversation): number {
  const time = Date.parse(date ?? '');
  return Number.isNaN(time) ? Infinity : time;
}
