import { STATUS_CODES } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultRules } from '../../fault-rules.js';
import { ApiError } from '../api-error.js';
import { type ArmedFault, type ArmedFaultOf } from '../fault-schema.js';
import {
  bucketHeaders,
  type BucketVerdict,
  type InvalidRequestCounter,
  type RateLimiter,
} from './rate-limits.js';

/** An answer of the REST interface. */
export interface Answer {
  readonly status: number;
  /** Written as JSON, a string as it stands; undefined for no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Which request it is, for limits, faults and statistics. */
export interface RequestInfo {
  /** The sandbox's own name of the operation, e.g. `createMessage`. */
  readonly operation: string;
  readonly method: string;
  /** Decoded, without query. */
  readonly path: string;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** What its own rate limit is kept for; undefined when it has none. */
  readonly bucket: string | undefined;
}

/** What the caller gets: the answer, or nothing, although the request may have been executed. */
export type GateResult =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'lost'; readonly how: 'drop' | 'silence' };

/** What the gate looks at. */
export interface RestGateContext {
  readonly faults: FaultRules<ArmedFault>;
  readonly channelLimits: RateLimiter;
  readonly globalLimits: RateLimiter;
  readonly invalidRequests: InvalidRequestCounter;
  /** Aborted when the sandbox closes. */
  readonly signal: AbortSignal;
  isToken(token: string): boolean;
  count(name: string): void;
}

/** The one door that every REST request passes: faults, authentication and rate limits stand here, in this order. */
export class RestGate {
  constructor(private readonly context: RestGateContext) {}

  /** Executes a request. Rejects only for a defect of the sandbox itself, or when it is closed while waiting. */
  async pass(info: RequestInfo, execute: () => Answer | Promise<Answer>): Promise<GateResult> {
    const { faults, invalidRequests, signal } = this.context;
    this.context.count(info.operation);
    const refusal = faults.strike('refuse-connections', ({ target }) => target !== 'gateway');
    if (refusal !== undefined && refusal.how !== 'http') {
      return { kind: 'lost', how: refusal.how === 'reset' ? 'drop' : 'silence' };
    }
    const fault = faults.strike(
      'request',
      ({ operation, method, path }) =>
        (operation === undefined || operation === info.operation) &&
        (method === undefined || method === info.method) &&
        (path === undefined || new RegExp(path).test(info.path)),
    );
    if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal });
    const answer =
      refusal === undefined
        ? await this.#answer(info, fault, execute)
        : outage(refusal.status, undefined, undefined);
    invalidRequests.record(answer.status, answer.headers?.['x-ratelimit-scope']);
    return fault?.loseAnswer === undefined
      ? { kind: 'answer', answer }
      : { kind: 'lost', how: fault.loseAnswer };
  }

  async #answer(
    info: RequestInfo,
    fault: ArmedFaultOf<'request'> | undefined,
    execute: () => Answer | Promise<Answer>,
  ): Promise<Answer> {
    if (this.context.invalidRequests.banned) return banned();
    if (fault?.status === 429) return limitedByFault(fault);
    if (fault?.status !== undefined) return outage(fault.status, fault.code, fault.message);
    if (!this.context.isToken(readBotToken(info.authorization) ?? '')) return outage(401, 0, undefined);
    const global = this.context.globalLimits.take('');
    if (!global.allowed) return limited(global.resetAfterMs, 'global', { 'x-ratelimit-global': 'true' });
    if (info.bucket === undefined) return runSafely(execute);
    return this.#withinBucket(info.bucket, execute);
  }

  async #withinBucket(bucket: string, execute: () => Answer | Promise<Answer>): Promise<Answer> {
    const verdict: BucketVerdict = this.context.channelLimits.take(bucket);
    const headers = bucketHeaders(toBucketId(bucket), verdict);
    if (!verdict.allowed) return limited(verdict.resetAfterMs, 'user', headers);
    const answer = await runSafely(execute);
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }
}

/** The token of an `Authorization: Bot ...` header. */
export function readBotToken(header: string | undefined): string | undefined {
  return /^Bot (.+)$/.exec(header ?? '')?.[1];
}

async function runSafely(execute: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await execute();
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, body: error.toBody() };
    throw error;
  }
}

/** Discord's bucket ids are opaque; clients only compare them. */
function toBucketId(bucket: string): string {
  return Buffer.from(bucket).toString('hex').slice(0, 32);
}

function limited(
  retryAfterMs: number,
  scope: 'user' | 'global' | 'shared',
  headers: Readonly<Record<string, string>>,
): Answer {
  const seconds = retryAfterMs / 1_000;
  return {
    status: 429,
    body: { message: 'You are being rate limited.', retry_after: seconds, global: scope === 'global' },
    headers: { ...headers, 'retry-after': seconds.toFixed(3), 'x-ratelimit-scope': scope },
  };
}

function limitedByFault(fault: ArmedFaultOf<'request'>): Answer {
  const { retryAfterMs, scope, rateLimit } = fault;
  const resetAfter = (retryAfterMs / 1_000).toFixed(3);
  const full = limited(retryAfterMs, scope, {
    ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
    'x-ratelimit-bucket': 'fault',
    'x-ratelimit-limit': '1',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': ((Date.now() + retryAfterMs) / 1_000).toFixed(3),
    'x-ratelimit-reset-after': resetAfter,
  });
  switch (rateLimit) {
    case 'headers':
      return full;
    case 'retry-after':
      return { ...full, headers: { 'retry-after': resetAfter } };
    case 'body':
      return { ...full, headers: {} };
    case 'bare':
      return { status: 429, body: 'error code: 1015', headers: { 'content-type': 'text/plain' } };
  }
}

/** What Discord's outer proxy says to somebody whose requests were invalid too often. */
function banned(): Answer {
  return {
    status: 429,
    body: 'error code: 1015',
    headers: { 'content-type': 'text/plain', 'retry-after': '600' },
  };
}

/** Codes that Discord gives to a refusal that names none: its general "Missing Permissions" for 403. */
function outage(status: number, code: number | undefined, message: string | undefined): Answer {
  const fallback = status === 403 ? 50013 : 0;
  const text = status === 403 ? 'Missing Permissions' : `${status}: ${STATUS_CODES[status] ?? 'Error'}`;
  return { status, body: { message: message ?? text, code: code ?? fallback } };
}
