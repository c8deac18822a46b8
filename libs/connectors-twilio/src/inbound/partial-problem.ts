import { type ConnectorError } from '@bitbrat/connectors-core';

/** Takes what fails while the rest works; see `ConnectorRecord.problem`. */
export interface ProblemReporter {
  /** @param waitMs until it is tried again */
  failed(subject: string, error: ConnectorError, waitMs: number): void;
  solved(subject: string): void;
}

/** One problem that several conversations share: there is one subject for all of them, and it is solved with the last one. */
export class PartialProblem {
  /** Failures in a row by conversation. */
  readonly #failures = new Map<string, number>();

  constructor(
    private readonly subject: string,
    private readonly reporter: ProblemReporter,
  ) {}

  failuresOf(conversationSid: string): number {
    return this.#failures.get(conversationSid) ?? 0;
  }

  failed(conversationSid: string, error: ConnectorError, waitMs: number): void {
    this.#failures.set(conversationSid, this.failuresOf(conversationSid) + 1);
    this.reporter.failed(this.subject, error, waitMs);
  }

  solved(conversationSid: string): void {
    if (this.#failures.delete(conversationSid) && this.#failures.size === 0)
      this.reporter.solved(this.subject);
  }
}
