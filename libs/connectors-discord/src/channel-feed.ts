import { type Clock, ConnectorError, isoTime, type IngressGap, type Logger } from '@bitbrat/connectors-core';
import { ChannelCursor } from './channel-cursor.js';
import { type Place } from './discord-envelope-builder.js';
import { type FeedRoom } from './feed-room.js';
import { type ChannelEvent } from './message-intake.js';
import { type NativeMessage } from './native-message.js';
import { compareSnowflakes, newerSnowflake, snowflakeAt, snowflakeTime } from './snowflake.js';

/** Largest page of "Get Channel Messages". */
export const PAGE_SIZE = 100;

/** Messages of one channel on their way to the bus; with more, the channel is read from its history when the bus is back. */
const MAX_UNDER_WAY = 500;

/** Events that wait while a channel's history is read. */
const MAX_WAITING = 1_000;

const HOUR_MS = 3_600_000;

/** What is known of a channel. */
export interface ChannelFacts extends Place {
  readonly id: string;
  /** Whether the bot may read its history. */
  readonly readable: boolean;
}

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
  /** The messages that follow, oldest first, `limit` at most. @throws ConnectorError */
  readonly history: (after: string, limit: number, facts: ChannelFacts) => Promise<NativeMessage[]>;
  readonly take: (event: ChannelEvent, facts: ChannelFacts) => Promise<void>;
  /** Shared by all channels. */
  readonly room: FeedRoom;
  /** The channel has to be drained. */
  readonly onBehind: () => void;
  readonly onGap: (gap: IngressGap) => void;
  readonly historyHours: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One channel on its way to the bus.
 *
 * Live, its events go straight on. Behind (new, after a gap in the gateway's session, after a refused publish), they wait while `drain`
 * reads the history from the cursor; then both roads join, in order, each message once.
 */
export class ChannelFeed {
  readonly #options: FeedOptions;
  readonly #cursor = new ChannelCursor();
  readonly #underWay = new Set<Promise<void>>();
  #mode: 'behind' | 'live' | 'unwanted' = 'behind';
  #facts: ChannelFacts | undefined;
  #baseline: string | undefined;
  readonly #waiting: ChannelEvent[] = [];
  #overflowed = false;
  /** A session began since the history was last asked. */
  #isStale = false;
  /** The channel's last message as Discord told it at the last session start; undefined where it did not. */
  #newest: string | undefined;
  #mustRead = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Whether its history has to be read before its events go on. */
  get isBehind(): boolean {
    return this.#mode === 'behind';
  }

  get guildId(): string | undefined {
    return this.#facts?.guildId;
  }

  /** Takes what the gateway tells, in its order. */
  offer(event: ChannelEvent): void {
    if (this.#mode === 'unwanted') return;
    const hasRoom = this.#underWay.size < MAX_UNDER_WAY && this.#options.room.hasRoom;
    if (this.#mode === 'live' && this.#facts !== undefined && hasRoom) {
      // A refused publish has made the channel fall behind already.
      this.#take(event, this.#facts).catch(() => undefined);
      return;
    }
    this.#wait(event);
    this.#fallBehind();
  }

  /**
   * A gateway session begins that replays nothing: messages may have been missed.
   * @param newest id of the channel's last message, where Discord told it
   */
  refresh(newest: string | undefined): void {
    if (this.#mode === 'unwanted') return;
    this.#mode = 'behind';
    this.#isStale = true;
    this.#newest = newest;
    this.#options.onBehind();
  }

  /** Resolves when nothing is on its way to the bus; never rejects. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Reads what was missed; afterwards the channel is live. A no-op where it is.
   * @throws ConnectorError where it has to be tried again
   */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#mode !== 'behind' || signal.aborted) return;
    const facts = await this.#prepare();
    if (!this.#options.isWanted(facts)) {
      this.#mode = 'unwanted';
      this.#takeWaiting();
      return;
    }
    await this.idle();
    do {
      const mustRead = this.#mustRead || this.#overflowed;
      this.#overflowed = false;
      this.#isStale = false;
      await this.#catchUp(facts, mustRead, signal);
      if (isAborted(signal)) return;
    } while (this.#isOutdated());
    this.#mode = 'live';
    this.#mustRead = false;
    await Promise.all(this.#takeWaiting().map((event) => this.#take(event, facts)));
  }

  /** Gives up what waits: the channel does not exist any more. */
  discard(): void {
    this.#takeWaiting();
  }

  #takeWaiting(): readonly ChannelEvent[] {
    this.#options.room.leave(this.#waiting.length);
    return this.#waiting.splice(0);
  }

  /** Whether something happened while the history was read that it may not show. */
  #isOutdated(): boolean {
    return this.#overflowed || this.#isStale;
  }

  async #prepare(): Promise<ChannelFacts> {
    const facts = await this.#options.resolve();
    if (this.#facts === undefined && this.#options.isWanted(facts)) {
      this.#baseline = (await this.#options.baseline(facts)) ?? this.#baseline;
      // Without a message since the baseline there is no cursor, and none is needed.
      if (!this.#isReadUpTo(this.#baseline)) this.#cursor.moveTo(await this.#options.loadCursor());
    }
    this.#facts = facts;
    return facts;
  }

  #isReadUpTo(position: string | undefined): boolean {
    if (this.#newest === undefined || position === undefined) return false;
    return compareSnowflakes(this.#newest, position) <= 0;
  }

  async #catchUp(facts: ChannelFacts, mustRead: boolean, signal: AbortSignal): Promise<void> {
    const position = newerSnowflake(this.#cursor.position, this.#baseline);
    if (position === undefined || !facts.readable) return;
    if (this.#isReadUpTo(position) && !mustRead) return;
    try {
      await this.#readFrom(position, facts, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || !['FORBIDDEN', 'TARGET_NOT_FOUND'].includes(error.code))
        throw error;
      // Live messages still come; there is no other road to the missed ones.
      const { channelId, clock, logger, onGap } = this.#options;
      logger.warn('discord.history-refused', { channelId, code: error.code, reason: error.message });
      if (error.code === 'TARGET_NOT_FOUND') return;
      const to = isoTime(clock.now());
      onGap({
        from: isoTime(snowflakeTime(position)),
        to,
        reason: `channel ${channelId}: its history may not be read`,
      });
    }
  }

  async #readFrom(position: string, facts: ChannelFacts, signal: AbortSignal): Promise<void> {
    let after = await this.#withinBound(position, facts);
    for (;;) {
      const page = await this.#options.history(after, PAGE_SIZE, facts);
      if (signal.aborted) return;
      const taken = await Promise.allSettled(
        page.map((message) => this.#take({ kind: 'created', message }, facts)),
      );
      const refused = taken.find((result) => result.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_SIZE) return;
      after = last.id;
    }
  }

  /** Where reading begins: what is older than the bound is left out, and the gap told, if there is anything. */
  async #withinBound(position: string, facts: ChannelFacts): Promise<string> {
    const { channelId, clock, history, historyHours, onGap } = this.#options;
    const boundMs = clock.now() - historyHours * HOUR_MS;
    const bound = snowflakeAt(boundMs);
    if (compareSnowflakes(position, bound) >= 0) return position;
    const [next] = await history(position, 1, facts);
    if (next !== undefined && compareSnowflakes(next.id, bound) < 0) {
      const reason = `channel ${channelId}: messages older than ${historyHours} hours are not read`;
      onGap({ from: isoTime(snowflakeTime(position)), to: isoTime(boundMs), reason });
      this.#cursor.moveTo(bound);
      this.#options.saveCursor(bound);
      return bound;
    }
    return position;
  }

  #take(event: ChannelEvent, facts: ChannelFacts): Promise<void> {
    const isCreated = event.kind === 'created';
    if (isCreated) this.#baseline ??= justBefore(event.message.id);
    const passage = isCreated ? this.#cursor.depart(event.message.id) : undefined;
    const work = this.#options.take(event, facts).then(
      () => {
        const moved = passage === undefined ? undefined : this.#cursor.arrive(passage);
        if (moved !== undefined) this.#options.saveCursor(moved);
      },
      (error: unknown) => {
        // Messages are read again; edits and deletions stand in no history.
        if (!isCreated || !facts.readable) this.#wait(event);
        this.#cursor.interrupt();
        this.#fallBehind();
        throw error;
      },
    );
    this.#underWay.add(work);
    this.#options.room.depart();
    const forget = (): void => {
      this.#options.room.arrive();
      this.#underWay.delete(work);
    };
    work.then(forget, forget);
    return work;
  }

  #fallBehind(): void {
    if (this.#mode === 'live') this.#mustRead = true;
    this.#mode = 'behind';
    this.#options.onBehind();
  }

  #wait(event: ChannelEvent): void {
    const { room } = this.#options;
    this.#waiting.push(event);
    room.wait();
    if (this.#waiting.length <= MAX_WAITING && !room.isOverfull) return;
    const created = this.#waiting.findIndex(({ kind }) => kind === 'created');
    // What no history brings back gives way to its own channel only.
    const isLost = created === -1 || this.#facts?.readable === false;
    if (isLost && this.#waiting.length <= MAX_WAITING) return;
    const [dropped] = this.#waiting.splice(Math.max(0, created), 1);
    room.leave(1);
    // A dropped message is read from the history; a dropped edit or deletion is not.
    this.#overflowed = true;
    if (dropped?.kind === 'created') {
      this.#baseline ??= justBefore(dropped.message.id);
      return;
    }
    this.#options.logger.warn('discord.event-dropped', {
      channelId: this.#options.channelId,
      kind: dropped?.kind,
    });
  }
}

/** So that reading `after` it brings the message itself. */
function justBefore(messageId: string): string {
  return String(BigInt(messageId) - 1n);
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
