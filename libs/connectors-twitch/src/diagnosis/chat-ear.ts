import { type ConnectorError, fault, type Finding, ok, toFault } from '@bitbrat/connectors-core';
import { channelOf, type ChatLine } from '../platform/chat-line.js';
import { toNoticeError } from '../platform/errors.js';

/** What the chat has said while the doctor listened. */
export class ChatEar {
  readonly #joined = new Set<string>();
  readonly #refused = new Map<string, ConnectorError>();
  #isLoggedIn = false;

  /** Whether Twitch has let the bot in. */
  get isLoggedIn(): boolean {
    return this.#isLoggedIn;
  }

  /** To be called for each line, in order. */
  hear(line: ChatLine): void {
    const { command, params, tags } = line;
    if (command === 'GLOBALUSERSTATE' || command === '376') this.#isLoggedIn = true;
    const channel = channelOf(line);
    if (channel === undefined) return;
    if (command === 'ROOMSTATE') this.#joined.add(channel);
    if (command !== 'NOTICE') return;
    const [, text = ''] = params;
    const error = toNoticeError(tags['msg-id'] ?? '', text, `join #${channel}`);
    if (error !== undefined) this.#refused.set(channel, error);
  }

  /** Whether the bot gets into the channel. */
  judge(channel: string): Finding {
    if (this.#joined.has(channel)) return ok('can be joined and read');
    const refused = this.#refused.get(channel);
    if (refused !== undefined) return toFault(refused);
    const cure = 'check TWITCH_CHANNELS: Twitch does not answer for a channel that does not exist';
    return fault('Twitch does not answer for it', cure);
  }
}
