import { ConnectorError } from '@bitbrat/connectors-core';
import { isoTime } from '@bitbrat/foundation';
import { ChannelCursor } from './channel-cursor.js';
import { type ChannelFacts, type FeedOptions } from './feed-contract.js';
import { type ChannelEvent } from './message-intake.js';
import { compareSnowflakes, olderSnowflake, snowflakeAt, snowflakeTime } from '../platform/snowflake.js';
import { WaitingEvents } from './waiting-events.js';
import { NO_MESSAGE } from '../platform/wire-guild.js';

/** Largest page of "Get Channel Messages". */
export const PAGE_SIZE = 100;

/** Messages of one channel on their way to the bus; with more, the channel is read from its history when the bus is back. */
const MAX_UNDER_WAY = 500;

/** How often an answer to a history request that no table lists is tried again, before its messages are given up and reported as a gap. */
const MAX_UNLISTED = 8;

const HOUR_MS = 3_600_000;

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
  readonly #waiting: WaitingEvents;
  /** How often a message was let go that the bus has not: only the history brings it back. */
  #losses = 0;
  /** How many of them have been read again, or told. */
  #regained = 0;
  /** Gaps that the bus has not yet. */
  #untoldGaps = 0;
  /** Unlisted answers to history requests, in a row. */
  #unlisted = 0;
  /** A session began since the history was last asked. */
  #isStale = false;
  /** The channel's last message as Discord told it at the last session start; undefined where it did not. */
  #newest: string | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#waiting = new WaitingEvents(options.room);
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
      this.#waiting.takeAll();
      return;
    }
    await this.idle();
    do {
      const losses = this.#losses;
      this.#isStale = false;
      await this.#catchUp(facts, signal);
      if (isAborted(signal)) return;
      this.#regained = losses;
    } while (this.#isOutdated());
    this.#mode = 'live';
    await Promise.all(this.#waiting.takeAll().map((event) => this.#take(event, facts)));
  }

  /** Gives up what waits: the channel does not exist any more. */
  discard(): void {
    this.#waiting.takeAll();
  }

  /** Whether something happened while the history was read that it may not show. */
  #isOutdated(): boolean {
    return this.#hasLost || this.#isStale;
  }

  /** Where reading begins. The baseline may have been made by a clock that was ahead; a cursor has not. */
  get #position(): string | undefined {
    return this.#cursor.position ?? this.#baseline;
  }

  get #hasLost(): boolean {
    return this.#losses > this.#regained;
  }

  async #prepare(): Promise<ChannelFacts> {
    const facts = await this.#options.resolve();
    if (this.#facts === undefined && this.#options.isWanted(facts)) {
      this.#baseline = olderSnowflake(await this.#options.baseline(facts), this.#baseline);
      // A channel that never had a message has no cursor.
      if (!this.#isReadUpTo(NO_MESSAGE)) this.#cursor.moveTo(await this.#options.loadCursor());
    }
    this.#facts = facts;
    return facts;
  }

  #isReadUpTo(position: string | undefined): boolean {
    if (this.#newest === undefined || position === undefined) return false;
    return compareSnowflakes(this.#newest, position) <= 0;
  }

  async #catchUp(facts: ChannelFacts, signal: AbortSignal): Promise<void> {
    const position = this.#position;
    if (position === undefined || (this.#isReadUpTo(position) && !this.#hasLost)) return;
    if (!facts.readable) {
      // Where Discord did not tell the last message, nothing is known to be missing.
      if (this.#newest !== undefined || this.#hasLost) this.#giveUp(position);
      return;
    }
    try {
      await this.#readFrom(position, facts, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || !this.#isRefusal(error)) throw error;
      this.#options.onRefused(error);
      if (error.unlisted && (this.#unlisted += 1) < MAX_UNLISTED) throw error;
      const { channelId, logger } = this.#options;
      logger.warn('discord.history-refused', { channelId, code: error.code, reason: error.message });
      if (error.code !== 'TARGET_NOT_FOUND') this.#giveUp(this.#position ?? position);
    }
  }

  #isRefusal({ code, unlisted }: ConnectorError): boolean {
    return unlisted || code === 'FORBIDDEN' || code === 'TARGET_NOT_FOUND';
  }

  async #readFrom(position: string, facts: ChannelFacts, signal: AbortSignal): Promise<void> {
    let after = await this.#withinBound(position, facts);
    for (;;) {
      const { count, lastId, messages } = await this.#options.history(after, PAGE_SIZE, facts);
      if (signal.aborted) return;
      this.#unlisted = 0;
      this.#options.onRead();
      const taken = await Promise.allSettled(
        messages.map((message) => this.#take({ kind: 'created', message }, facts)),
      );
      const refused = taken.find((result) => result.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
      if (lastId === undefined) return;
      // Past the ones that cannot be read, too.
      this.#cursor.moveTo(lastId);
      this.#saveCursor();
      if (count < PAGE_SIZE) return;
      after = lastId;
    }
  }

  /** Where reading begins: what is older than the bound is left out, and the gap told, if there is anything. */
  async #withinBound(position: string, facts: ChannelFacts): Promise<string> {
    const { clock, history, historyHours } = this.#options;
    const boundMs = clock.now() - historyHours * HOUR_MS;
    const bound = snowflakeAt(boundMs);
    if (compareSnowflakes(position, bound) >= 0) return position;
    const { lastId: next } = await history(position, 1, facts);
    if (next === undefined || compareSnowflakes(next, bound) >= 0) return position;
    this.#cursor.moveTo(bound);
    this.#tellGap(position, boundMs, `messages older than ${historyHours} hours are not read`);
    return bound;
  }

  /** Live messages still come; there is no other road to the missed ones. */
  #giveUp(position: string): void {
    if (this.#newest !== undefined) {
      const waiting = this.#waiting.oldestMessageId;
      // What waits is not on the bus yet.
      const before = waiting === undefined ? undefined : justBefore(waiting);
      this.#cursor.moveTo(olderSnowflake(this.#newest, before));
    }
    const toMs = Math.max(this.#options.clock.now(), snowflakeTime(this.#newest ?? position));
    this.#tellGap(position, toMs, 'its history may not be read');
  }

  /** Nothing is saved before the bus has the gap: a restart finds it again. */
  #tellGap(from: string, toMs: number, why: string): void {
    const { channelId, onGap } = this.#options;
    this.#untoldGaps += 1;
    const reason = `channel ${channelId}: ${why}`;
    onGap({ from: isoTime(snowflakeTime(from)), to: isoTime(toMs), reason }, () => {
      this.#untoldGaps -= 1;
      this.#saveCursor();
    });
  }

  #saveCursor(): void {
    const { position } = this.#cursor;
    if (this.#untoldGaps === 0 && position !== undefined) this.#options.saveCursor(position);
  }

  #take(event: ChannelEvent, facts: ChannelFacts): Promise<void> {
    const isCreated = event.kind === 'created';
    if (isCreated) this.#beginBefore(event.message.id);
    const passage = isCreated ? this.#cursor.depart(event.message.id) : undefined;
    const work = this.#options.take(event, facts).then(
      () => {
        const moved = passage === undefined ? undefined : this.#cursor.arrive(passage);
        if (moved !== undefined) this.#saveCursor();
      },
      (error: unknown) => {
        // Messages are read again; edits and deletions stand in no history.
        if (!isCreated || !facts.readable) this.#wait(event);
        else this.#losses += 1;
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

  /** A message that has come tells where a channel begins that has none, and where a clock that was ahead is wrong. */
  #beginBefore(messageId: string): void {
    this.#baseline = olderSnowflake(this.#baseline, justBefore(messageId));
  }

  #fallBehind(): void {
    this.#mode = 'behind';
    this.#options.onBehind();
  }

  #wait(event: ChannelEvent): void {
    const dropped = this.#waiting.add(event, this.#facts?.readable !== false);
    if (dropped === undefined) return;
    if (dropped.kind === 'created') {
      this.#losses += 1;
      this.#beginBefore(dropped.message.id);
      return;
    }
    // No history brings it back, and no gap is told of it: those are of messages.
    const { channelId, logger } = this.#options;
    logger.warn('discord.event-dropped', { channelId, kind: dropped.kind });
  }
}

/** So that reading `after` it brings the message itself. */
function justBefore(messageId: string): string {
  return String(BigInt(messageId) - 1n);
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
