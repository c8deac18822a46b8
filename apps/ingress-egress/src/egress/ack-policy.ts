import { type ConnectorCapabilities, type ConnectorError, type SendReceipt } from '@bitbrat/connectors-core';
import { type EgressStatus } from '@bitbrat/envelope';
import { backoffMs, type BackoffPolicy } from '@bitbrat/foundation';

/**
 * Milliseconds after a try whose answer was lost: who looks for the message sooner may not find it, because the platform is still at work on it,
 * and would send it a second time.
 */
export const LOST_ANSWER_MS = 10_000;

/** Milliseconds before an event expires at which it is tried for the last time: enough to hand it to a platform. */
export const LAST_TRY_MS = 250;

/** How long an egress event is tried. */
export interface RetryLimits {
  readonly backoff: BackoffPolicy;
  /** The most tries; what never reached the platform because the connector was not connected does not count, nor what was only too early. */
  readonly maxAttempts: number;
  /** After this time since the event was taken up, in milliseconds, it is not tried again. */
  readonly giveUpAfterMs: number;
}

export type SendResult =
  | { readonly ok: true; readonly receipt: SendReceipt }
  | { readonly ok: false; readonly error: ConnectorError };

export interface Situation {
  readonly result: SendResult;
  /** Tries that count towards `maxAttempts`, this one included. */
  readonly attempts: number;
  /** Tries since the connector connected last, for the back-off. */
  readonly tries: number;
  /** Since the event was taken up, in milliseconds. */
  readonly elapsedMs: number;
  /** Milliseconds until the event expires; undefined: never. */
  readonly expiresInMs: number | undefined;
  /** How a try that may have reached the platform is kept from being repeated; undefined: there is no such connector. */
  readonly protection: ConnectorCapabilities['duplicateProtection'] | undefined;
}

/**
 * `settle`: the outcome is known, publish it and acknowledge. `retry`: try again after `delayMs`, or as soon as the
 * connector has connected, but not before `notBeforeMs`. An event that has expired by then has not been given up early.
 */
export type Decision =
  | { readonly kind: 'settle'; readonly status: EgressStatus; readonly deadLetter: boolean }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly notBeforeMs: number };

/** What follows from a try to send. Pure; acknowledging anything but a settled outcome would lose messages. */
export function decide(situation: Situation, limits: RetryLimits, random: () => number): Decision {
  const { result, attempts, tries, elapsedMs, expiresInMs, protection } = situation;
  if (result.ok) return { kind: 'settle', status: 'sent', deadLetter: false };
  const { error } = result;
  if (error.code === 'RECIPIENT_OPTED_OUT') return { kind: 'settle', status: 'suppressed', deadLetter: true };
  if (error.code === 'EXPIRED') return { kind: 'settle', status: 'expired', deadLetter: false };
  if (!error.retryable) return { kind: 'settle', status: 'failed', deadLetter: true };
  if (error.ambiguous && protection === 'none')
    return { kind: 'settle', status: 'unknown', deadLetter: true };
  if (attempts >= limits.maxAttempts) return { kind: 'settle', status: 'failed', deadLetter: true };
  const backoff = backoffMs(limits.backoff, tries, random);
  const floorMs = Math.max(
    error.retryAfterMs ?? 0,
    isLookedForLater(error, protection) ? LOST_ANSWER_MS : 0,
    isTooEarly(error) ? backoff : 0,
  );
  const leftMs = limits.giveUpAfterMs - elapsedMs;
  const expiresFirst = expiresInMs !== undefined && expiresInMs <= leftMs;
  if (leftMs < 1 || (floorMs > leftMs && !expiresFirst)) {
    return { kind: 'settle', status: 'failed', deadLetter: true };
  }
  // A wait is cut to what is left, and the event is tried once more at the end of it.
  const delayMs = Math.max(floorMs, Math.min(backoff, leftMs));
  if (expiresInMs === undefined || delayMs < expiresInMs - LAST_TRY_MS) {
    return { kind: 'retry', delayMs, notBeforeMs: floorMs };
  }
  const lastTryMs = expiresInMs - LAST_TRY_MS;
  const untilMs = lastTryMs > 0 && lastTryMs >= floorMs ? lastTryMs : Math.max(0, expiresInMs);
  return { kind: 'retry', delayMs: untilMs, notBeforeMs: floorMs };
}

/** Whether the next try begins with a look at the platform, which must not come too soon. */
export function isLookedForLater(error: ConnectorError, protection: Situation['protection']): boolean {
  return error.ambiguous && protection === 'lookup';
}

/** Whether a failed try may have reached the platform at all. */
export function countsAsAttempt(error: ConnectorError): boolean {
  return error.code !== 'NOT_CONNECTED' && error.code !== 'EXPIRED';
}

/** Whether the try was only too early: what has to wait is bounded by time, not by the number of tries. */
export function isTooEarly(error: ConnectorError): boolean {
  return error.code === 'RATE_LIMITED';
}
