import { type BackoffPolicy, backoffMs, type Clock, sleep } from '@bitbrat/foundation';
import { aborted } from './aborted.js';
import { type BotLogger, type LogFields } from './bot.js';
import { BotError } from './bot-error.js';
import { type Limits } from './settings.js';

/** Wait between two calls of a handler with one message. */
const RETRY_BACKOFF: BackoffPolicy = { baseMs: 1_000, maxMs: 30_000 };

/** What the calls of a handler need. */
export interface AttemptsContext {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: BotLogger;
  /** No further call is begun. */
  readonly draining: AbortSignal;
  /** No call is waited for any more. */
  readonly expired: AbortSignal;
}

/** `stopped`: the bot stops, and the message must come again. */
export type AttemptsResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly attempts: number; readonly detail: string };

/** One call of a handler. Rejects where it failed; `signal` is aborted when nobody waits for it any more. */
export type Call = (attempt: number, signal: AbortSignal) => Promise<void>;

/** Calls a handler until it succeeds, `limits.attempts` times at most, with growing pauses. Never rejects. */
export async function callWithRetries(
  call: Call,
  context: AttemptsContext,
  facts: LogFields,
): Promise<AttemptsResult> {
  const { clock, draining, expired, limits, logger, random } = context;
  for (let attempt = 1; ; attempt++) {
    try {
      await callOnce(call, attempt, context);
      return { kind: 'done' };
    } catch (error) {
      if (expired.aborted) return { kind: 'stopped' };
      const isFinal =
        attempt >= limits.attempts || (error instanceof BotError && error.code === 'INVALID_REPLY');
      const waitMs = isFinal ? undefined : backoffMs(RETRY_BACKOFF, attempt, random, 'half');
      logger.warn('bot.handler.failed', { ...facts, attempt, error: describe(error), retryInMs: waitMs });
      if (waitMs === undefined) return { kind: 'failed', attempts: attempt, detail: messageOf(error) };
      await sleep(clock, waitMs, draining);
      if (draining.aborted) return { kind: 'stopped' };
    }
  }
}

/** Settles as the handler does, or rejects when its time is over. */
async function callOnce(call: Call, attempt: number, context: AttemptsContext): Promise<void> {
  const { clock, expired, limits } = context;
  const controller = new AbortController();
  const onExpired = (): void => {
    controller.abort(new BotError('STOPPED', 'the bot is stopping'));
  };
  if (expired.aborted) onExpired();
  expired.addEventListener('abort', onExpired, { once: true });
  const cancel = clock.setTimeout(() => {
    controller.abort(new BotError('TIMED_OUT', `the handler took longer than ${limits.timeoutMs} ms`));
  }, limits.timeoutMs);
  try {
    await Promise.race([aborted(controller.signal), call(attempt, controller.signal)]);
  } finally {
    cancel();
    expired.removeEventListener('abort', onExpired);
  }
}

/** The error with its stack: the author of the handler looks for the line. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}

/** A handler may throw anything, including objects that have no text. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'a value without a text was thrown';
  }
}
