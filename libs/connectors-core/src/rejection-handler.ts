import { type IConnector } from './connector.js';

/** The second, small interface of a connector whose SDK may leave promise rejections unhandled. */
export interface RejectionHandler {
  /** Whether the reason comes from this connector's SDK. Pure: what follows is the supervisor's to do. */
  claimRejection(reason: unknown): boolean;
  /** Whether what it has claimed may be left by a client that it has put away itself, so that nothing needs a restart. Default: no. */
  isLeftover?(): boolean;
}

export function isRejectionHandler(connector: IConnector): connector is IConnector & RejectionHandler {
  return 'claimRejection' in connector && typeof connector.claimRejection === 'function';
}
