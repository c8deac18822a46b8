import { type Clock, withTimeout } from '@bitbrat/foundation';
import { type IConnector } from '../connector.js';
import { ConnectorError, toConnectorError } from '../connector-error.js';
import { maskPhoneNumbers } from '../masking.js';

/** `ok`: fine. `warning`: it works, and a person should know. `fault`: it does not work. */
export type DiagnosisStatus = 'ok' | 'warning' | 'fault';

/** What one check has found; no secret and no whole phone number in it. */
export interface Finding {
  readonly status: DiagnosisStatus;
  /** What was found, for people. */
  readonly found: string;
  /** What a person can do about it; there unless all is well. */
  readonly cure?: string;
}

/** One check and what it has found. */
export interface DiagnosisRow extends Finding {
  /** What was checked, in a word or three: `webhook address`. */
  readonly check: string;
}

/** The second, small interface of a connector that can say why it would not work. */
export interface Diagnosable {
  /**
   * Checks credentials, addresses and rights at the platform and yields a row as soon as it is known; needs no start.
   *
   * No message is sent and nothing is changed at the platform; every connection is closed again. Never throws: what
   * goes wrong is a row.
   * @param signal aborted when the caller gives up; the rows then end soon
   */
  diagnose(signal: AbortSignal): AsyncIterable<DiagnosisRow>;
}

/** Whether the connector can say why it would not work. */
export function isDiagnosable(connector: IConnector): connector is IConnector & Diagnosable {
  return 'diagnose' in connector && typeof connector.diagnose === 'function';
}

/** Milliseconds that a check gets. */
export const DIAGNOSIS_LIMIT_MS = 10_000;

/** Milliseconds at the end of its time that a check gets to close what it has opened, and the most of its time that this may be. */
const GRACE_MS = 1_000;
const GRACE_SHARE = 0.2;

/** How a check is run. */
export interface CheckOptions {
  readonly check: string;
  readonly clock: Clock;
  /** Aborted when the caller gives up. */
  readonly signal: AbortSignal;
  /** Milliseconds; default `DIAGNOSIS_LIMIT_MS`. */
  readonly limitMs?: number;
}

/**
 * Runs one check and resolves within its time limit, whatever the check does. Never rejects: an error is a fault, cured as its
 * hint says.
 * @param work its signal is aborted shortly before the end of the time, and when the caller gives up
 */
export async function runCheck(
  { check, clock, limitMs = DIAGNOSIS_LIMIT_MS, signal }: CheckOptions,
  work: (signal: AbortSignal) => Promise<Finding>,
): Promise<DiagnosisRow> {
  const limit = new AbortController();
  const timeIsUp = (): ConnectorError =>
    new ConnectorError('TIMEOUT', `no answer in ${limitMs / 1_000} seconds`, {
      hint: 'check the network, the proxy and the firewall, and whether the platform has an outage',
    });
  const cancel = clock.setTimeout(
    () => {
      limit.abort();
    },
    limitMs - Math.min(GRACE_MS, limitMs * GRACE_SHARE),
  );
  try {
    const working = work(AbortSignal.any([signal, limit.signal]));
    return { check, ...(await withTimeout(clock, working, limitMs, timeIsUp)) };
  } catch (reason) {
    return { check, ...toFault(limit.signal.aborted ? timeIsUp() : reason) };
  } finally {
    cancel();
  }
}

/** All is well. */
export function ok(found: string): Finding {
  return { status: 'ok', found };
}

/** It works, and a person should know. */
export function warning(found: string, cure: string): Finding {
  return { status: 'warning', found, cure };
}

/** It does not work. */
export function fault(found: string, cure: string): Finding {
  return { status: 'fault', found, cure };
}

/** The fault that an error tells of: its code and message, cured as its hint says. */
export function toFault(reason: unknown): Finding {
  const { code, hint, message } = toConnectorError(reason);
  return fault(`${code}: ${maskPhoneNumbers(message)}`, hint);
}
