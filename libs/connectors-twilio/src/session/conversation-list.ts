import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, withTimeout } from '@bitbrat/foundation';
import { type Client, type Conversation } from '@twilio/conversations';
import { toTwilioError } from '../platform/errors.js';
import { type ToldWait } from '../platform/retry-after.js';

/** Milliseconds for the SDK to load all conversations: 1,000 of them, an identity's limit, take up to 10 seconds. */
const LOAD_TIMEOUT_MS = 35_000;

/** Milliseconds for finding a conversation. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Milliseconds for which a conversation that the platform does not know is not listed, though the SDK goes on listing it. */
const GONE_MS = 10 * 60_000;

/** The conversations that the bot is in, as far as one client of the SDK knows. */
export class ConversationList {
  readonly #joined = new Map<string, Conversation>();
  /** Deleted, and no event has told: until when they are left alone. */
  readonly #gone = new Map<string, number>();

  constructor(
    private readonly client: Client,
    private readonly clock: Clock,
    private readonly toldWait: Pick<ToldWait, 'remainingMs'>,
  ) {}

  get size(): number {
    return this.#joined.size;
  }

  /** Any of them. */
  get some(): Conversation | undefined {
    const [some] = this.#joined.values();
    return some;
  }

  has(conversationSid: string): boolean {
    return this.#joined.has(conversationSid);
  }

  /** An event says that the bot is in it. */
  add(conversation: Conversation): void {
    this.#gone.delete(conversation.sid);
    this.#joined.set(conversation.sid, conversation);
  }

  /** An event says that the bot is no longer in it. */
  remove(conversationSid: string): void {
    this.#joined.delete(conversationSid);
  }

  /**
   * The platform does not know the conversation, or the bot is not in it: what should have told the SDK was lost. It is not listed for ten
   * minutes, unless an event says that the bot is in it again; `find` still finds it.
   */
  forget(conversationSid: string): void {
    this.#joined.delete(conversationSid);
    this.#gone.set(conversationSid, this.clock.monotonic() + GONE_MS);
  }

  /** Known ones at once; others are looked for on the server. @throws ConnectorError TARGET_NOT_FOUND, TIMEOUT */
  async find(conversationSid: string): Promise<Conversation> {
    const known = this.#joined.get(conversationSid);
    if (known !== undefined) return known;
    const found = this.client.getConversationBySid(conversationSid);
    return this.#answer(found, `find ${conversationSid}`, ANSWER_TIMEOUT_MS);
  }

  /** SIDs of all, over all pages; loads those that the SDK has dropped. @throws ConnectorError */
  async load(): Promise<string[]> {
    const doing = 'list the conversations';
    const sids: string[] = [];
    const unlisted = new Set(this.#joined.keys());
    let page = await this.#answer(this.client.getSubscribedConversations(), doing, LOAD_TIMEOUT_MS);
    for (;;) {
      for (const conversation of page.items) {
        if (conversation.status !== 'joined' || this.#isGone(conversation.sid)) continue;
        this.#joined.set(conversation.sid, conversation);
        unlisted.delete(conversation.sid);
        sids.push(conversation.sid);
      }
      // Of one that was deleted while the SDK loaded it, the SDK may say that it is joined after it has said that it is gone.
      if (!page.hasNextPage) {
        for (const sid of unlisted) this.#joined.delete(sid);
        return sids;
      }
      page = await this.#answer(page.nextPage(), doing, LOAD_TIMEOUT_MS);
    }
  }

  #isGone(conversationSid: string): boolean {
    const until = this.#gone.get(conversationSid);
    if (until === undefined || until > this.clock.monotonic()) return until !== undefined;
    this.#gone.delete(conversationSid);
    return false;
  }

  async #answer<T>(work: Promise<T>, doing: string, limitMs: number): Promise<T> {
    try {
      return await withTimeout(
        this.clock,
        work,
        limitMs,
        () => new ConnectorError('TIMEOUT', `${doing}: no answer after ${limitMs} ms`),
      );
    } catch (error) {
      throw toTwilioError(error, doing, this.toldWait.remainingMs);
    }
  }
}
