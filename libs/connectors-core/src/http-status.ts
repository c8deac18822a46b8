import { CONNECTOR_ERRORS, type ConnectorErrorCode } from './connector-error.js';

/** What a row of a platform's error table says. */
export interface ErrorRule {
  readonly code: ConnectorErrorCode;
  /** What a person can do, where the row can say more than `CONNECTOR_ERRORS`. */
  readonly hint?: string;
  readonly retryAfterMs?: number;
  /** As `ConnectorErrorOptions.unlisted`. */
  readonly unlisted?: boolean;
}

/** The rows of a platform's tables that match one answer; undefined where a table has none. */
export interface ListedRules<R extends ErrorRule = ErrorRule> {
  /** By the platform's own code in the body. */
  readonly byCode?: R | undefined;
  /** By the HTTP status. */
  readonly byStatus?: R | undefined;
}

/**
 * What an HTTP answer with an error status means. Total: every number has a rule.
 *
 * 1. A status that says "not now" (408, 425, 429, 5xx) is transient. A row applies only if it is transient
 *    too: an overloaded platform answers with any code, also with one about credentials.
 * 2. Otherwise the row of the platform's code applies, then the row of the status.
 * 3. 401 is about credentials.
 * 4. Anything else is unlisted.
 */
export function ruleOfStatus<R extends ErrorRule>(
  status: number,
  listed: ListedRules<R> = {},
): R | ErrorRule {
  const { byCode, byStatus } = listed;
  const passing = transientCodeOf(status);
  if (passing !== undefined) {
    return [byCode, byStatus].find((rule) => rule !== undefined && isTransient(rule)) ?? { code: passing };
  }
  return byCode ?? byStatus ?? (status === 401 ? { code: 'AUTH_FAILED' } : unlistedRule(status));
}

/** Whether the same request may succeed soon after this status. */
export function isTransientStatus(status: number): boolean {
  return transientCodeOf(status) !== undefined;
}

/** The code of a status after which the same request may succeed soon; undefined for any other status. */
function transientCodeOf(status: number): ConnectorErrorCode | undefined {
  if (status === 408) return 'TIMEOUT';
  if (status === 429) return 'RATE_LIMITED';
  if (status === 425 || (status >= 500 && status <= 599)) return 'UPSTREAM_UNAVAILABLE';
  return undefined;
}

function unlistedRule(status: number): ErrorRule {
  return {
    code: 'UPSTREAM_UNAVAILABLE',
    unlisted: true,
    hint: `wait: the gateway tries again; if it lasts, look up what HTTP status ${status} means at the platform`,
  };
}

function isTransient({ code, unlisted }: ErrorRule): boolean {
  return CONNECTOR_ERRORS[code].retryable && unlisted !== true;
}
