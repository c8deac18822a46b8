import { type Logger } from '@bitbrat/foundation';

/** An identity can be in so many active or inactive conversations (limits page; error 50214). */
export const MOST_CONVERSATIONS = 1_000;

/** From here on it is time to close some. */
export const MANY_CONVERSATIONS = 900;

/** Warns once each time that the identity comes near to its limit. */
export class ConversationRoom {
  #isWarned = false;

  constructor(private readonly logger: Logger) {}

  /** How many conversations more the identity can be in. @param conversations that it is in */
  static of(conversations: number): number {
    return Math.max(0, MOST_CONVERSATIONS - conversations);
  }

  /** @param conversations that the identity is in */
  look(conversations: number): void {
    const isNear = conversations >= MANY_CONVERSATIONS;
    if (isNear && !this.#isWarned) {
      const hint = "set the service's state timers, so that old conversations close by themselves";
      this.logger.warn('twilio.conversations-nearly-full', {
        conversations,
        limit: MOST_CONVERSATIONS,
        hint,
      });
    }
    this.#isWarned = isNear;
  }
}
