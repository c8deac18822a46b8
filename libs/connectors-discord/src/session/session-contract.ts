import { type ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type ClientSession } from './client-session.js';
import { type IdentifyBudget } from './identify-budget.js';
import { type DiscordConfig } from '../config.js';
import { type ChannelEvent } from '../inbound/message-intake.js';
import { type GuildSnapshot } from '../platform/wire-guild.js';

/** What a session needs. */
export interface SessionOptions {
  readonly config: DiscordConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** Shared by all sessions of the connector. */
  readonly budget: IdentifyBudget;
}

/** What a session tells; none may throw. */
export interface SessionEvents {
  /** A gateway session begins that replays nothing; its guilds follow. Comes before `open` resolves. */
  onSessionStart(session: ClientSession): void;
  onGuild(guild: GuildSnapshot): void;
  /** @param guildId undefined: a direct channel */
  onEvent(event: ChannelEvent, guildId: string | undefined): void;
  onChannelGone(channelId: string): void;
  /** What the bot may do in the channel may have changed. */
  onChannelChanged(channelId: string): void;
  /** A part fails while the others work, e.g. `guild 123`. */
  onProblem(subject: string, error: ConnectorError): void;
  /** The part works. */
  onSolved(subject: string): void;
  /** The connection is there again after an outage. */
  onConnected(): void;
  /** The SDK is connecting again by itself. */
  onReconnecting(error: ConnectorError): void;
  /** Final, once at most: only a new session helps. */
  onFailed(error: ConnectorError): void;
}
