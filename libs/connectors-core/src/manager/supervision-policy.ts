import { type BackoffPolicy } from '@bitbrat/foundation';

/** How a connector is kept up. All times in milliseconds. */
export interface SupervisionPolicy {
  /** Waits after transient errors. Full jitter. */
  readonly backoff: BackoffPolicy;
  /** Waits after definite and unlisted errors. Each wait is at least its bound, and a tenth longer at most. */
  readonly slowBackoff: BackoffPolicy;
  /**
   * A connection that lasts this long resets both back-offs. 0: connecting resets them. Choose 0 only together with
   * a `minStartIntervalMs`, where the platform limits starts and messages are lost while disconnected.
   */
  readonly stableAfterMs: number;
  /** Two starts are at least this far apart, also if an operator asks for the second one. */
  readonly minStartIntervalMs: number;
  /** A start that takes longer is given up and tried again. */
  readonly startTimeoutMs: number;
  /** A stop that takes longer is abandoned. */
  readonly stopTimeoutMs: number;
}

export const DEFAULT_SUPERVISION: SupervisionPolicy = {
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  slowBackoff: { baseMs: 60_000, maxMs: 900_000 },
  stableAfterMs: 60_000,
  minStartIntervalMs: 0,
  startTimeoutMs: 60_000,
  stopTimeoutMs: 5_000,
};
