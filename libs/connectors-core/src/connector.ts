import { type Attachment } from '@bitbrat/envelope';
import { type ConnectorCapabilities } from './capabilities.js';
import { type ConnectorState } from './connector-state.js';
import { type ConnectorHost } from './host.js';
import { type SupervisionPolicy } from './manager/supervision-policy.js';

export interface SendOptions {
  /** Two calls with one key are one message. */
  readonly idempotencyKey: string;
  /**
   * An earlier try with this key may have reached the platform: a redelivery, an attempt whose answer was lost,
   * an event from before this process started. The connector looks before it sends, where the platform lets it.
   */
  readonly mayHaveBeenSent: boolean;
  readonly correlationId?: string;
  /** The platform's id of the message that is answered. */
  readonly inReplyTo?: string;
  readonly attachments?: readonly Attachment[];
  /**
   * Milliseconds since 1970, by the host's clock. The first part is not handed to the platform at this time or later: the
   * call then rejects with `EXPIRED`. What has begun before is carried through.
   */
  readonly expiresAt?: number;
  /** Aborted when the caller gives up; the call then rejects soon, with `TIMEOUT` or what is known better. */
  readonly signal?: AbortSignal;
}

/** The platform has accepted the message. */
export interface SendReceipt {
  /** The platform's ids in order; more than one where the text was split. */
  readonly platformMessageIds: readonly string[];
  /** True where nothing was sent now, because an earlier try had reached the platform. */
  readonly duplicate: boolean;
}

export interface ConnectorCounters {
  /** Messages that the bus has acknowledged. */
  received: number;
  /** Native messages that were left out on purpose: own, bots', not allowed. */
  ignored: number;
  /** Messages that the platform has accepted. */
  sent: number;
  sendFailures: number;
  reconnects: number;
}

/** How a connector is, JSON-able, with no secret in it. */
export interface ConnectorSnapshot {
  readonly name: string;
  readonly state: ConnectorState;
  readonly counters: Readonly<ConnectorCounters>;
  /** RFC 3339, UTC. */
  readonly lastMessageAt?: string;
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: string };
  /** The platform's own facts: conversations, channels, token life. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** One platform, as the ConnectorManager sees it. */
export interface IConnector {
  /** Slug, the envelope's `source`. */
  readonly name: string;
  readonly capabilities: ConnectorCapabilities;
  /** Where the platform limits how often one may connect, or loses messages meanwhile. Default: `DEFAULT_SUPERVISION`. */
  readonly supervision?: Partial<SupervisionPolicy>;
  /**
   * Resolves when really connected. A second start is a no-op. May be called again after `stop`.
   * @param signal aborted when the caller gives up; the call then rejects soon and nothing is left behind
   * @throws ConnectorError
   */
  start(signal: AbortSignal): Promise<void>;
  /** Idempotent, in any state; never rejects. Afterwards no socket, no timer, no publish. */
  stop(): Promise<void>;
  /**
   * Resolves when the platform has accepted the message.
   * @param text of any length; it is split at the platform's limit
   * @param destination as in the envelope's `replyTo`
   * @throws ConnectorError
   */
  sendText(text: string, destination: string, options: SendOptions): Promise<SendReceipt>;
  /**
   * The one spelling of a destination that may be written in several ways. Order is kept per spelling that this returns.
   * Pure; never throws: what is no destination is returned as it is. Default: each destination has one spelling.
   */
  canonicalDestination?(destination: string): string;
  getSnapshot(): ConnectorSnapshot;
}

/** A connector is a function of its config and its host; the config is bound before. */
export type ConnectorFactory = (host: ConnectorHost) => IConnector;
