import { type ConnectorError, type IngressGap } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type Place } from './discord-envelope-builder.js';
import { type HistoryPage } from '../platform/discord-rest.js';
import { type FeedRoom } from './feed-room.js';
import { type ChannelEvent } from './message-intake.js';

/** What is known of a channel. */
export interface ChannelFacts extends Place {
  readonly id: string;
  /** Whether the bot may read its history. */
  readonly readable: boolean;
}

/** What the feed of a channel needs. */
export interface FeedOptions {
  readonly channelId: string;
  /** @throws ConnectorError */
  readonly resolve: () => Promise<ChannelFacts>;
  /** Whether the configuration wants the channel. */
  readonly isWanted: (facts: ChannelFacts) => boolean;
  /** The id behind which a channel without a cursor is read; undefined: from now on. */
  readonly baseline: (facts: ChannelFacts) => Promise<string | undefined>;
  readonly loadCursor: () => Promise<string | undefined>;
  readonly saveCursor: (messageId: string) => void;
  /** The messages that follow, `limit` at most. @throws ConnectorError */
  readonly history: (after: string, limit: number, facts: ChannelFacts) => Promise<HistoryPage>;
  readonly take: (event: ChannelEvent, facts: ChannelFacts) => Promise<void>;
  /** Shared by all channels. */
  readonly room: FeedRoom;
  /** The channel has to be drained. */
  readonly onBehind: () => void;
  /** @param onTold to be called when the bus has the gap: until then no cursor is saved, so that a restart finds it again */
  readonly onGap: (gap: IngressGap, onTold: () => void) => void;
  /** Discord refuses the history, which should be readable. */
  readonly onRefused: (error: ConnectorError) => void;
  /** The history has been read. */
  readonly onRead: () => void;
  readonly historyHours: number;
  readonly clock: Clock;
  readonly logger: Logger;
}
