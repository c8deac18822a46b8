import { type ConnectorError } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { type ProblemReporter } from './partial-problem.js';

/** Milliseconds that work may be held up without a report. */
export const UNREPORTED_HOLD_MS = 60_000;

export interface HoldReportOptions {
  readonly subject: string;
  readonly clock: Clock;
  readonly problems: ProblemReporter;
}

/**
 * Reports what holds up work: a definite error at once, a transient one when the work is held up for more than a minute,
 * by one wait or by several in a row.
 */
export class HoldReport {
  #since: number | undefined;

  constructor(private readonly options: HoldReportOptions) {}

  /** @param waitMs until it is tried again */
  held(error: ConnectorError, waitMs: number): void {
    const { clock, problems, subject } = this.options;
    const now = clock.monotonic();
    this.#since ??= now;
    const isLasting = now + waitMs - this.#since > UNREPORTED_HOLD_MS;
    if (isLasting || error.failureClass !== 'transient') problems.failed(subject, error, waitMs);
  }

  /** The work goes on. */
  ended(): void {
    if (this.#since === undefined) return;
    this.#since = undefined;
    this.options.problems.solved(this.options.subject);
  }
}
