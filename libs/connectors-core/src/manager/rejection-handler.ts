import { type IConnector } from '../connector.js';

/** The second, small interface of a connector whose SDK may leave errors to the process that have lost their context. */
export interface RejectionHandler {
  /** Whether an unhandled rejection or uncaught exception comes from this connector's SDK. Pure: the manager acts on it. */
  claimRejection(reason: unknown): boolean;
  /** Whether what it has claimed may be left by a client that it has put away itself, so that nothing needs a restart. Default: no. */
  isLeftover?(): boolean;
}

export function isRejectionHandler(connector: IConnector): connector is IConnector & RejectionHandler {
  return 'claimRejection' in connector && typeof connector.claimRejection === 'function';
}
