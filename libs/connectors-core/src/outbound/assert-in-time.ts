import { type Clock } from '@bitbrat/foundation';
import { ConnectorError } from '../connector-error.js';

/**
 * To be called directly before the first part of a message goes to the platform, after everything that may wait.
 * @param expiresAt as `SendOptions.expiresAt`
 * @throws ConnectorError EXPIRED
 */
export function assertInTime(clock: Clock, expiresAt: number | undefined): void {
  if (expiresAt === undefined || clock.now() < expiresAt) return;
  throw new ConnectorError('EXPIRED', 'the message expired before it could be sent');
}
