import { type ConnectorStatus, type ErrorInfo } from '@bitbrat/envelope';

/** A span in which messages could not be received and cannot be fetched any more. Times are RFC 3339, UTC. */
export type IngressGap = NonNullable<ConnectorStatus['gap']>;

/** How a connector is. `since` is RFC 3339, UTC. */
export type ConnectorState =
  | { readonly status: 'stopped'; readonly since: string }
  | { readonly status: 'starting'; readonly since: string; readonly attempt: number }
  | { readonly status: 'connected'; readonly since: string; readonly gap?: IngressGap }
  | {
      readonly status: 'reconnecting';
      readonly since: string;
      readonly attempt: number;
      readonly error?: ErrorInfo;
      readonly hint?: string;
    }
  | {
      /** Nothing goes on by itself. The supervisor starts it again where the error is retryable. */
      readonly status: 'failed';
      readonly since: string;
      readonly error: ErrorInfo;
      /** What a person can do. */
      readonly hint: string;
    };

export type ConnectorStatusName = ConnectorState['status'];
