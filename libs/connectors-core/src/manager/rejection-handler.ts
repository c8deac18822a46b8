import { type IConnector } from '../connector.js';

/** The second, small interface of a connector whose SDK may leave errors to the process that have lost their context. */
export interface RejectionHandler {
  /** Whether an unhandled rejection or uncaught exception comes from this connector's SDK. Pure: the manager acts on it. */
  claimRejection(reason: unknown): boolean;
  /**
   * Whether what it has claimed needs no restart: it may be left by a client that the connector has put away itself, or it
   * concerns one object of the platform that is gone. Default: no.
   */
  isLeftover?(reason: unknown): boolean;
}

export function isRejectionHandler(connector: IConnector): connector is IConnector & RejectionHandler {
  return 'claimRejection' in connector && typeof connector.claimRejection === 'function';
}
