import { type Clock } from '@bitbrat/foundation';
import { vary } from './chat-text.js';
import { type MessagePart } from './message-parts.js';

/** Twitch refuses a text that equals the one before it for 30 seconds (NOTICE id `msg_duplicate`); one is left for the way there. */
const DUPLICATE_WINDOW_MS = 31_000;

/** What was last put on its way to a channel. */
export interface Sent {
  readonly text: string;
  readonly nonce: string;
  /** By the monotonic clock. */
  readonly at: number;
}

/** A text that was refused as a repetition. */
interface Refused {
  readonly text: string;
  /** When the channel takes it again, by the monotonic clock. */
  readonly until: number;
  /** Whether it was refused varied, too. */
  readonly isVaried: boolean;
}

/** How a part goes out. */
export interface Form {
  readonly text: string;
  readonly isVaried: boolean;
  /** Milliseconds to wait before. */
  readonly waitMs: number;
}

/**
 * Gets messages with the text of the one before past Twitch, which refuses them: varied, so that they look the same, and
 * after half a minute as they are where Twitch sees through that.
 */
export class RepeatGuard {
  readonly #last = new Map<string, Sent>();
  readonly #refused = new Map<string, Refused>();

  constructor(private readonly clock: Clock) {}

  /**
   * A part that may be the last one goes out to the letter, so that Twitch can tell it.
   * @param isChecked whether Twitch compares what the bot writes there: as an ordinary user it does
   */
  formOf({ channel, nonce, text }: MessagePart, isChecked: boolean): Form {
    const now = this.clock.monotonic();
    const last = this.#last.get(channel);
    if (last?.nonce === nonce) return { text: last.text, isVaried: last.text !== text, waitMs: 0 };
    const refused = this.#refused.get(channel);
    if (refused?.text === text && now < refused.until) {
      return refused.isVaried
        ? { text, isVaried: false, waitMs: refused.until - now }
        : { text: vary(text), isVaried: true, waitMs: 0 };
    }
    const isRepeat = last?.text === text && now - last.at < DUPLICATE_WINDOW_MS;
    return isRepeat && isChecked
      ? { text: vary(text), isVaried: true, waitMs: 0 }
      : { text, isVaried: false, waitMs: 0 };
  }

  /** @returns what is to be given to `restore` if the message is refused */
  sending({ channel, nonce }: MessagePart, text: string): Sent | undefined {
    const before = this.#last.get(channel);
    this.#last.set(channel, { text, nonce, at: this.clock.monotonic() });
    return before;
  }

  /** What was refused does not count for Twitch's comparison either. */
  restore(channel: string, before: Sent | undefined): void {
    if (before === undefined) this.#last.delete(channel);
    else this.#last.set(channel, before);
  }

  /** Twitch has refused the form as a repetition. */
  refused({ channel, text }: MessagePart, { isVaried, waitMs }: Form): void {
    const now = this.clock.monotonic();
    const last = this.#last.get(channel);
    const isOurs = last !== undefined && (last.text === text || last.text === vary(text));
    // When a message of somebody else was sent is not known.
    const since = isOurs && now - last.at < DUPLICATE_WINDOW_MS ? last.at : now;
    this.#refused.set(channel, {
      text,
      until: since + DUPLICATE_WINDOW_MS,
      isVaried: isVaried || waitMs > 0,
    });
  }
}
