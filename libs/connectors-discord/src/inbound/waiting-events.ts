import { type FeedRoom } from './feed-room.js';
import { type ChannelEvent } from './message-intake.js';
import { olderSnowflake } from '../platform/snowflake.js';

/** Events that wait while a channel's history is read. */
const MAX_WAITING = 1_000;

/** The events of one channel that wait to go on, in the gateway's order, and which of them gives way where there are too many. */
export class WaitingEvents {
  readonly #events: ChannelEvent[] = [];

  /** @param room shared by all channels */
  constructor(private readonly room: FeedRoom) {}

  /** The oldest message that waits to be published; undefined where there is none. */
  get oldestMessageId(): string | undefined {
    const ids = this.#events.flatMap(({ kind, message }) => (kind === 'created' ? [message.id] : []));
    return ids.reduce<string | undefined>(olderSnowflake, undefined);
  }

  /**
   * @param hasHistory whether a message that gives way can be read again
   * @returns what gives way, for good
   */
  add(event: ChannelEvent, hasHistory: boolean): ChannelEvent | undefined {
    this.#events.push(event);
    this.room.wait();
    if (this.#events.length <= MAX_WAITING && !this.room.isOverfull) return undefined;
    const created = this.#events.findIndex(({ kind }) => kind === 'created');
    // What no history brings back gives way to its own channel only.
    const isLost = created === -1 || !hasHistory;
    if (isLost && this.#events.length <= MAX_WAITING) return undefined;
    const [dropped] = this.#events.splice(Math.max(0, created), 1);
    this.room.leave(1);
    return dropped;
  }

  /** They wait no longer. */
  takeAll(): readonly ChannelEvent[] {
    this.room.leave(this.#events.length);
    return this.#events.splice(0);
  }
}
