import { type ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type TwilioTokenProvider } from './token-provider.js';

/** What a session needs. */
export interface SessionOptions {
  readonly provider: TwilioTokenProvider;
  /** Learns the platform's time anew, by which tokens are dated. Never rejects. */
  readonly refreshTime: () => Promise<void>;
  readonly wsUrl: string | undefined;
  readonly watchdogMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a session tells; none may throw. */
export interface SessionEvents {
  /** The conversation may have news. */
  onWake(conversationSid: string): void;
  /** The SDK was pushed a message, which it keeps for as long as it lives. */
  onPushed(): void;
  /** The bot is not in the conversation any more. */
  onGone(conversationSid: string): void;
  /** The bot is in the conversation. */
  onJoined(conversationSid: string): void;
  /** The connection is there again after an outage. */
  onConnected(): void;
  /** The SDK is connecting again by itself. */
  onReconnecting(error: ConnectorError | undefined): void;
  /** Final, once at most: only a new session helps. */
  onFailed(error: ConnectorError): void;
}
