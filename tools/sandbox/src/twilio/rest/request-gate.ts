import { setTimeout as delay } from 'node:timers/promises';
import { type FaultRules } from '../../fault-rules.js';
import { ApiError } from '../api-error.js';
import { type ArmedFault } from '../fault-schema.js';
import { type Stats } from '../stats.js';

/** An answer to a request, over REST or through the socket. */
export interface Answer {
  readonly status: number;
  /** Written as JSON; undefined for no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Which request it is, for faults and statistics. */
export interface RequestInfo {
  readonly target: 'tunnel' | 'rest' | 'media';
  /** The sandbox's own name of the operation, e.g. `sendMessage`. */
  readonly operation: string;
  readonly method: string;
  /** Decoded, without query. */
  readonly path: string;
}

/** What the caller gets: the answer, or nothing although the request may have been executed. */
export type GateResult =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'lost'; readonly how: 'drop' | 'silence' };

/** The one door that every request passes: counts it, lets faults act on it, turns refusals into answers. */
export class RequestGate {
  constructor(
    private readonly faults: FaultRules<ArmedFault>,
    private readonly stats: Stats,
    private readonly signal: AbortSignal,
  ) {}

  /** Executes a request. Rejects only for a defect of the sandbox itself, or when it is closed while waiting. */
  async pass(info: RequestInfo, execute: () => Answer | Promise<Answer>): Promise<GateResult> {
    this.stats.count(`${info.target} ${info.operation}`);
    const fault = this.faults.strike(
      'request',
      ({ target, operation, method, path }) =>
        target === info.target &&
        (operation === undefined || operation === info.operation) &&
        (method === undefined || method === info.method) &&
        (path === undefined || new RegExp(path).test(info.path)),
    );
    if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: this.signal });
    if (fault?.status !== undefined) {
      return { kind: 'answer', answer: failure(fault.status, fault.code, fault.retryAfterSeconds) };
    }
    const answer = await runSafely(execute);
    return fault?.loseAnswer === undefined
      ? { kind: 'answer', answer }
      : { kind: 'lost', how: fault.loseAnswer };
  }
}

async function runSafely(execute: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await execute();
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, body: error.toBody() };
    throw error;
  }
}

function failure(status: number, code: number | undefined, retryAfterSeconds: number | undefined): Answer {
  const error = new ApiError(
    status,
    code ?? (status === 429 ? 20429 : 20500),
    status === 429 ? 'Too Many Requests' : 'Caused by a fault of the sandbox',
  );
  return {
    status,
    body: error.toBody(),
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  };
}
