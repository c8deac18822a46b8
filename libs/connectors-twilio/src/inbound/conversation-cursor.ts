import { type ConnectorError } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { toTwilioError } from '../platform/errors.js';
import { slowRetryMs } from './slow-retry.js';

/** Messages of one request; the SDK fetches 10 at least, Sync serves 100 at most. */
export const PAGE_SIZE = 50;

/** What the cursor needs to know of a message. */
export interface CursorMessage {
  readonly index: number;
  readonly dateCreated: Date | null;
}

/** The part of the SDK's `Conversation` that reading takes. */
export interface DrainableConversation<M extends CursorMessage> {
  readonly sid: string;
  /** The bot's read horizon, which Twilio keeps; null where it has read nothing yet. */
  readonly lastReadMessageIndex: number | null;
  readonly lastMessage?: { readonly index?: number } | undefined;
  getMessages(
    pageSize: number,
    anchor?: number,
    direction?: 'backwards' | 'forward',
  ): Promise<{ readonly items: readonly M[] }>;
  advanceLastReadMessageIndex(index: number): Promise<unknown>;
}

/** Messages that were passed over, because they are older than what is to be read. Times in milliseconds since 1970. */
export interface PassedOver {
  /** How many at most: those that were deleted before are counted, too, where only their indexes are known. */
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

export interface CursorOptions<M> {
  /** Takes messages in order, all under way at once; one result per message. */
  readonly take: (messages: readonly M[]) => Promise<readonly PromiseSettledResult<unknown>[]>;
  /**
   * Milliseconds since 1970 by the platform's clock: where nothing was read before, older messages are passed over.
   * Rejects where that cannot be told yet.
   */
  readonly oldest: () => Promise<number>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly onPassedOver: (passedOver: PassedOver) => void;
  /** The horizon cannot be moved. Nothing is read twice while the cursor lives. @param waitMs until it is tried again */
  readonly onHorizonRefused: (error: ConnectorError, waitMs: number) => void;
  readonly onHorizonMoved: () => void;
  /** Highest index that this process has taken before, by another cursor. */
  readonly takenUntil?: number | undefined;
}

/** Refusals of the horizon in a row, of whatever kind, after which it is tried slowly and reading goes on without it. */
const MAX_HORIZON_FAILURES = 3;

/**
 * Reads one conversation from where it stopped, so that no message is left out.
 *
 * The SDK answers from caches that can have holes, and its events miss messages. So each step asks for what follows the last index, which
 * is not cached unless it has just been pushed, and believes the answer up to its first hole only. Calls must not overlap.
 */
export class ConversationCursor<M extends CursorMessage> {
  /** Highest index that was taken; -1: none; undefined: not known yet. */
  #last: number | undefined;
  #saved: number | undefined;
  /** While the conversation is read for the first time; messages that are brought in later may have any date. */
  #oldest = -Infinity;
  #horizonFailures = 0;
  #saveNotBefore = -Infinity;

  constructor(private readonly options: CursorOptions<M>) {}

  /** Highest index that was taken; undefined: not known. */
  get takenUntil(): number | undefined {
    return this.#last ?? this.options.takenUntil;
  }

  /**
   * Takes all that is new. The horizon moves once per page, behind the last message before the first one that was refused.
   * @param signal looked at before each page; once aborted, nothing more is read
   * @throws what a message was refused with, or what the SDK rejected with; the next call goes on where this one stopped
   */
  async drain(conversation: DrainableConversation<M>, signal: { readonly aborted: boolean }): Promise<void> {
    let last = (this.#last ??= await this.#start(conversation));
    let saveError: ConnectorError | undefined;
    while (!signal.aborted) {
      const page = await this.#nextPage(conversation, last);
      if (page.length === 0) {
        this.#oldest = -Infinity;
        break;
      }
      const fresh = page.filter((message) => !this.#isTooOld(message));
      const results = await this.options.take(fresh);
      const refusedAt = results.findIndex((result) => result.status === 'rejected');
      const limit = fresh[refusedAt]?.index ?? Infinity;
      const taken = page.filter((message) => message.index < limit);
      this.#tellPassedOver(taken.filter((message) => this.#isTooOld(message)));
      last = this.#last = taken.at(-1)?.index ?? last;
      saveError = await this.#save(conversation);
      const refused = results[refusedAt];
      if (refused?.status === 'rejected') throw toError(refused.reason);
    }
    saveError ??= await this.#save(conversation);
    if (saveError !== undefined) throw saveError;
  }

  /** The messages behind `last`, without a hole between them. */
  async #nextPage(conversation: DrainableConversation<M>, last: number): Promise<M[]> {
    let items = await read(conversation, last + 1);
    const [first] = items;
    if (first !== undefined && first.index > last + 1) {
      // The message at `last + 1` was deleted. If the SDK knows that, it has answered from its cache, which may lack what follows.
      items = merge(await read(conversation, last + 2), items);
    }
    return withoutHoles(items);
  }

  /** Where to begin in a conversation that this process has not read yet. */
  async #start(conversation: DrainableConversation<M>): Promise<number> {
    const { onPassedOver, oldest, takenUntil } = this.options;
    const horizon = conversation.lastReadMessageIndex;
    if (horizon !== null) this.#saved = horizon;
    if (horizon !== null || takenUntil !== undefined) return Math.max(horizon ?? -1, takenUntil ?? -1);
    this.#oldest = await oldest();
    // Walking back from the end spares a first start the reading of years; a short conversation is read as a whole.
    let anchor = conversation.lastMessage?.index ?? 0;
    while (anchor > PAGE_SIZE) {
      const { items } = await conversation.getMessages(PAGE_SIZE, anchor, 'backwards');
      const older = items.filter((message) => this.#isTooOld(message)).at(-1);
      if (older !== undefined) {
        onPassedOver({
          count: older.index + 1,
          ...spanOf(items.filter((message) => this.#isTooOld(message))),
        });
        return older.index;
      }
      anchor = Math.min(anchor, ...items.map((message) => message.index)) - 1;
      if (items.length === 0) break;
    }
    return -1;
  }

  /** @returns why it has failed where that passes: the drain is to be repeated soon */
  async #save(conversation: DrainableConversation<M>): Promise<ConnectorError | undefined> {
    const last = this.#last;
    const { clock, onHorizonMoved, onHorizonRefused } = this.options;
    if (last === undefined || last < 0 || last === this.#saved) return undefined;
    if (clock.monotonic() < this.#saveNotBefore) return undefined;
    try {
      await conversation.advanceLastReadMessageIndex(last);
      this.#saved = last;
      this.#horizonFailures = 0;
      onHorizonMoved();
      return undefined;
    } catch (reason) {
      const error = toTwilioError(reason, `move the read horizon of ${conversation.sid}`);
      this.#horizonFailures += 1;
      const isPassing = error.failureClass === 'transient';
      if (isPassing && this.#horizonFailures < MAX_HORIZON_FAILURES) return error;
      const waitMs = slowRetryMs(this.#horizonFailures);
      this.#saveNotBefore = clock.monotonic() + waitMs;
      onHorizonRefused(error, waitMs);
      return undefined;
    }
  }

  #tellPassedOver(messages: readonly M[]): void {
    if (messages.length > 0) this.options.onPassedOver({ count: messages.length, ...spanOf(messages) });
  }

  #isTooOld(message: CursorMessage): boolean {
    return message.dateCreated !== null && message.dateCreated.getTime() < this.#oldest;
  }
}

function spanOf(messages: readonly CursorMessage[]): { from: number; to: number } {
  const times = messages.flatMap(({ dateCreated }) => dateCreated?.getTime() ?? []);
  return { from: Math.min(...times), to: Math.max(...times) };
}

async function read<M extends CursorMessage>(
  conversation: DrainableConversation<M>,
  anchor: number,
): Promise<M[]> {
  const { items } = await conversation.getMessages(PAGE_SIZE, anchor, 'forward');
  return items.filter((message) => message.index >= anchor).sort((a, b) => a.index - b.index);
}

function merge<M extends CursorMessage>(some: readonly M[], others: readonly M[]): M[] {
  const byIndex = new Map([...others, ...some].map((message) => [message.index, message]));
  return [...byIndex.values()].sort((a, b) => a.index - b.index);
}

function withoutHoles<M extends CursorMessage>(items: readonly M[]): M[] {
  const hole = items.findIndex((message, i) => i > 0 && message.index !== (items[i - 1]?.index ?? 0) + 1);
  return hole === -1 ? [...items] : items.slice(0, hole);
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
