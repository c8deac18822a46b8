import { backoffMs } from '@bitbrat/foundation';
import { type ConnectorError } from '../connector-error.js';
import { type SupervisionPolicy } from './supervision-policy.js';

/** When a connector is started again. */
export interface NextStart {
  readonly waitMs: number;
  /** Failures of this kind in a row, this one included. */
  readonly attempt: number;
  /** True after an error that does not pass quickly. */
  readonly slow: boolean;
}

/** Counts failed starts and says how long to wait after each. Slow and fast waits grow independently. */
export class RetrySchedule {
  #fast = 0;
  #slow = 0;

  constructor(
    private readonly policy: Pick<SupervisionPolicy, 'backoff' | 'slowBackoff'>,
    private readonly random: () => number,
  ) {}

  /** The wait is never shorter than the error's `retryAfterMs`. */
  next(error: ConnectorError): NextStart {
    const { policy, random } = this;
    const askedMs = error.retryAfterMs ?? 0;
    if (error.failureClass === 'transient') {
      this.#fast += 1;
      const waitMs = Math.max(backoffMs(policy.backoff, this.#fast, random), askedMs);
      return { waitMs, attempt: this.#fast, slow: false };
    }
    this.#slow += 1;
    const waitMs = Math.max(backoffMs(policy.slowBackoff, this.#slow, random, 'longer'), askedMs);
    return { waitMs, attempt: this.#slow, slow: true };
  }

  /** The connection is stable: the next waits are the shortest again. */
  reset(): void {
    this.#fast = 0;
    this.#slow = 0;
  }
}
