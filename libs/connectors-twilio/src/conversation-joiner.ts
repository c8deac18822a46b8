import { LRUCache } from 'lru-cache';
import { type TwilioRest } from './twilio-rest.js';

/** Conversations of which it is remembered that the bot is in them. */
const REMEMBERED = 10_000;

/** Adds the bot to conversations, each once however many webhooks name it at the same time. */
export class ConversationJoiner {
  readonly #joined = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #joining = new Map<string, Promise<void>>();

  constructor(
    private readonly rest: Pick<TwilioRest, 'addParticipant'>,
    private readonly identity: string,
  ) {}

  /** Whether the bot is in the conversation, as far as it is remembered. */
  isJoined(conversationSid: string): boolean {
    return this.#joined.has(conversationSid);
  }

  /**
   * Resolves when the bot is in the conversation.
   * @param signal ends the request for all who wait for it
   * @throws ConnectorError
   */
  join(conversationSid: string, signal?: AbortSignal): Promise<void> {
    if (this.#joined.has(conversationSid)) return Promise.resolve();
    let joining = this.#joining.get(conversationSid);
    if (joining === undefined) {
      joining = this.#join(conversationSid, signal).finally(() => this.#joining.delete(conversationSid));
      this.#joining.set(conversationSid, joining);
    }
    return joining;
  }

  /** The bot is in it, as the SDK says. */
  remember(conversationSid: string): void {
    this.#joined.set(conversationSid, true);
  }

  /** The bot was removed from it, or it is gone. */
  forget(conversationSid: string): void {
    this.#joined.delete(conversationSid);
  }

  async #join(conversationSid: string, signal: AbortSignal | undefined): Promise<void> {
    await this.rest.addParticipant(conversationSid, this.identity, signal);
    this.remember(conversationSid);
  }
}
