import { type ConnectorStatus, type ErrorInfo } from '@bitbrat/envelope';

/** A span in which messages could not be received and cannot be fetched any more. Times are RFC 3339, UTC. */
export type IngressGap = NonNullable<ConnectorStatus['gap']>;

/** A part of a connector (a guild, a channel, an identity) that fails while the others work. */
export type ConnectorProblem = NonNullable<ConnectorStatus['problems']>[number];

/** How a connector is. `since` and `nextAttemptAt` are RFC 3339, UTC. */
export type ConnectorState =
  | { readonly status: 'stopped'; readonly since: string }
  | { readonly status: 'starting'; readonly since: string; readonly attempt: number }
  | {
      readonly status: 'connected';
      readonly since: string;
      readonly gap?: IngressGap;
      /** Oldest first, 20 at most. */
      readonly problems?: ConnectorProblem[];
      /** Of all, those left out of `problems` included. */
      readonly problemCount?: number;
    }
  | {
      readonly status: 'reconnecting';
      readonly since: string;
      readonly attempt: number;
      readonly error?: ErrorInfo;
      readonly hint?: string;
      readonly nextAttemptAt?: string;
    }
  | {
      /** The error does not pass quickly. The supervisor tries again slowly, at `nextAttemptAt`. */
      readonly status: 'failed';
      readonly since: string;
      readonly error: ErrorInfo;
      /** What a person can do. */
      readonly hint: string;
      readonly nextAttemptAt?: string;
    };

export type ConnectorStatusName = ConnectorState['status'];
