import { type FaultRules } from '../../fault-rules.js';
import { type Channel, type ChannelDirectory, type ChatMessage } from './channels.js';
import { executeChatCommand, parseChatCommand } from './chat-commands.js';
import { type Chat, type ChatPeer } from './chat.js';
import { type CommandLog, type ExecutedCommand } from './command-log.js';
import { type ArmedFault, concerns } from '../fault-schema.js';
import { type Notice, notice } from './notices.js';
import { type MessagePacer } from './rate-limits.js';
import { isLogin, type TwitchUser, type UserDirectory } from './users.js';
import { noticeLine, userState } from '../wire/wire-messages.js';

/** Longest text of a message, in characters: "Send Chat Message". What is longer is cut. */
export const MAX_TEXT_LENGTH = 500;

/** What speaking needs from its surroundings. */
export interface SpeechDependencies {
  readonly chat: Chat;
  readonly channels: ChannelDirectory;
  readonly users: UserDirectory;
  readonly commands: CommandLog;
  readonly faults: FaultRules<ArmedFault>;
  readonly pacer: MessagePacer;
  /** Milliseconds. */
  readonly duplicateWindowMs: number;
  /** As `TwitchSandboxOptions.dropped`. */
  readonly dropped: RegExp;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A PRIVMSG of a client. */
export interface Utterance {
  readonly channel: string;
  readonly text: string;
  readonly tags: ReadonlyMap<string, string>;
}

interface Content {
  readonly text: string;
  readonly action: boolean;
  readonly cut: boolean;
}

/** What becomes of the messages that clients send: posted and acknowledged, executed, refused or ignored. */
export class Speech {
  readonly #last = new Map<string, { readonly text: string; readonly at: number }>();

  constructor(private readonly deps: SpeechDependencies) {}

  /** Takes a client's message. Anonymous readers and unknown kinds of target are ignored, as at Twitch. */
  hear(peer: ChatPeer, utterance: Utterance): void {
    const name = utterance.channel.slice(1).toLowerCase();
    const { user } = peer;
    if (user === undefined || !utterance.channel.startsWith('#') || !isLogin(name)) return;
    const channel = this.deps.channels.ensure(name);
    if (!peer.scopes.includes('chat:edit')) {
      this.#refuse(peer, channel, notice('no_permission'));
      return;
    }
    const pace = this.deps.pacer.pace(user.login, channel.name, channel.isTrusted(user.login));
    if (pace === 'limited') this.#refuse(peer, channel, notice('msg_ratelimit'));
    const text = utterance.text.replace(this.deps.dropped, '').trimEnd();
    if (text === '' && utterance.text.trim() !== '' && pace === 'ok') {
      this.#refuse(peer, channel, notice('msg_rejected'));
      return;
    }
    // White space in front hides no command, to be on the safe side; whether it is shown is not known.
    const command = parseChatCommand(text.trimStart());
    if (command !== undefined) {
      const record = (result: ExecutedCommand['result']): void =>
        this.deps.commands.record({
          channel: channel.name,
          login: user.login,
          via: 'chat',
          name: command.name,
          text,
          result,
        });
      if (pace !== 'ok') {
        record('ignored');
      } else if (command.name === 'me') {
        record('executed');
        this.#say(peer, user, channel, { ...cutText(command.rest), action: true }, utterance.tags);
      } else {
        const outcome = executeChatCommand(command, { ...this.deps, channel, peer, user });
        record(outcome.result);
        if (outcome.notice !== undefined) this.#refuse(peer, channel, outcome.notice);
      }
    } else if (pace === 'ok') {
      this.#say(peer, user, channel, toContent(text), utterance.tags);
    }
  }

  #say(
    peer: ChatPeer,
    user: TwitchUser,
    channel: Channel,
    content: Content,
    tags: ReadonlyMap<string, string>,
  ): void {
    if (content.text.trim() === '') return;
    const strikes = (fault: { readonly login?: string | undefined; readonly channel?: string | undefined }) =>
      concerns(fault, user.login, channel.name);
    if (this.deps.faults.strike('swallow-message', strikes) !== undefined) return;
    const fault = this.deps.faults.strike('refuse-message', strikes);
    const wanted = fault === undefined ? undefined : notice(fault.msgId, channel.name);
    const refusal =
      wanted === undefined
        ? this.#refusal(user, channel, content.text)
        : { ...wanted, text: fault?.text ?? wanted.text };
    if (refusal !== undefined) {
      this.#refuse(peer, channel, refusal);
      return;
    }
    this.#last.set(key(user, channel), { text: content.text, at: this.deps.now() });
    const parent = channel.find(tags.get('reply-parent-msg-id') ?? '');
    const nonce = tags.get('client-nonce');
    const echo = nonce === undefined ? {} : { 'client-nonce': nonce };
    const draft = { author: user, replyTo: parent?.id, extraTags: echo, via: 'irc', ...content } as const;
    const message = this.deps.chat.post(channel, draft, peer);
    this.#acknowledge(peer, user, channel, message, echo);
  }

  #acknowledge(
    peer: ChatPeer,
    user: TwitchUser,
    channel: Channel,
    message: ChatMessage,
    echo: Readonly<Record<string, string>>,
  ): void {
    const strikes = (fault: { readonly login?: string | undefined; readonly channel?: string | undefined }) =>
      concerns(fault, user.login, channel.name);
    const lost = this.deps.faults.strike('lose-ack', strikes);
    if (lost !== undefined) {
      if (lost.how === 'drop') peer.reset();
      return;
    }
    const send = (): void =>
      peer.send(userState(user, channel, { id: message.id, ...echo }), 'twitch.tv/commands');
    const delayed = this.deps.faults.strike('delay-ack', strikes);
    if (delayed === undefined) send();
    else peer.later(delayed.delayMs, send);
  }

  #refusal(user: TwitchUser, channel: Channel, text: string): Notice | undefined {
    const { rules, name } = channel;
    const now = this.deps.now();
    if (rules.suspended) return notice('msg_channel_suspended');
    const bannedUntil = channel.bans.get(user.login) ?? 0;
    if (bannedUntil === Infinity) return notice('msg_banned', name);
    if (now < bannedUntil) return notice('msg_timedout', String(Math.ceil((bannedUntil - now) / 1_000)));
    if (channel.isTrusted(user.login)) return undefined;
    if (rules.emoteOnly) return notice('msg_emoteonly');
    if (rules.subscribersOnly) return notice('msg_subsonly');
    if (rules.followersOnly) return notice('msg_followersonly', name);
    const last = this.#last.get(key(user, channel));
    if (last === undefined) return undefined;
    if (last.text.trim() === text.trim() && now - last.at < this.deps.duplicateWindowMs)
      return notice('msg_duplicate');
    const slowUntil = last.at + rules.slowSeconds * 1_000;
    return now < slowUntil ? notice('msg_slowmode', String(Math.ceil((slowUntil - now) / 1_000))) : undefined;
  }

  #refuse(peer: ChatPeer, channel: Channel, refusal: Notice): void {
    peer.send(noticeLine(channel.name, refusal), 'twitch.tv/commands');
  }
}

function key(user: TwitchUser, channel: Channel): string {
  return `${channel.name} ${user.login}`;
}

/** The CTCP frame of an action. */
const CTCP = '\u0001';
const ACTION = `${CTCP}ACTION `;

function toContent(text: string): Content {
  if (!text.startsWith(ACTION)) return { ...cutText(text), action: false };
  const end = text.endsWith(CTCP) ? -CTCP.length : undefined;
  return { ...cutText(text.slice(ACTION.length, end)), action: true };
}

function cutText(text: string): { readonly text: string; readonly cut: boolean } {
  const characters = Array.from(text);
  return characters.length > MAX_TEXT_LENGTH
    ? { text: characters.slice(0, MAX_TEXT_LENGTH).join(''), cut: true }
    : { text, cut: false };
}
