import { type FaultOrigin } from '@bitbrat/connectors-core';
import { type Logger } from '@bitbrat/foundation';

export interface ProcessGuardOptions {
  /** Whether the error belongs to a part that deals with it by itself. Called in the context of the error. */
  readonly claim: (reason: unknown, origin: FaultOrigin) => boolean;
  /** Ends the process, after what can be ended in order. */
  readonly stop: (reason: string, code: number) => void;
  readonly logger: Pick<Logger, 'error'>;
}

/** The events of `process` that the guard listens to. */
interface FaultSource {
  on(event: FaultOrigin, listener: (reason: unknown) => void): unknown;
}

/** Errors that nobody caught end the process, unless a connector claims them. */
export function guardProcess(source: FaultSource, options: ProcessGuardOptions): void {
  const { claim, logger, stop } = options;
  const isClaimed = (reason: unknown, origin: FaultOrigin): boolean => {
    try {
      return claim(reason, origin);
    } catch (error) {
      logger.error('process.claim-failed', { error });
      return false;
    }
  };
  source.on('unhandledRejection', (reason) => {
    if (isClaimed(reason, 'unhandledRejection')) return;
    logger.error('process.unhandled-rejection', { reason });
    stop('unhandled rejection', 1);
  });
  source.on('uncaughtException', (error) => {
    if (isClaimed(error, 'uncaughtException')) return;
    logger.error('process.uncaught-exception', { error });
    stop('uncaught exception', 1);
  });
}
