import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelDirectory, type ChatMessage } from './channels.js';
import { type Tags, type WireMessage } from '../wire/irc-line.js';
import { notice } from './notices.js';
import { type TwitchUser } from './users.js';
import {
  noticeLine,
  prefixOf,
  privmsg,
  roomState,
  SERVER,
  threadId,
  userState,
  whisper,
} from '../wire/wire-messages.js';

/** What a client can ask for with CAP REQ: "Capabilities" of Twitch's IRC pages. */
export const CAPABILITIES = ['twitch.tv/commands', 'twitch.tv/membership', 'twitch.tv/tags'] as const;
/** One of them. */
export type Capability = (typeof CAPABILITIES)[number];

/** A logged-in client, as the chat sees it. */
export interface ChatPeer {
  /** Lower case; `justinfan…` for an anonymous reader. */
  readonly nick: string;
  /** Undefined for an anonymous reader. */
  readonly user: TwitchUser | undefined;
  readonly scopes: readonly string[];
  /** Sends a line, unless the client has not asked for the capability that the line needs. */
  send(message: WireMessage, needs?: Capability): void;
  /** Ends the connection. */
  end(): void;
  /** Ends the connection with a TCP reset. */
  reset(): void;
  /** Runs `action` after `delayMs` milliseconds, unless the connection has ended by then. */
  later(delayMs: number, action: () => void): void;
}

/** A message to be put in a channel. */
export interface MessageDraft {
  readonly author: TwitchUser;
  readonly text: string;
  readonly action: boolean;
  readonly replyTo: string | undefined;
  readonly extraTags: Tags;
  readonly via: ChatMessage['via'];
  readonly cut: boolean;
}

/** What the chat needs from its surroundings. */
export interface ChatDependencies {
  readonly channels: ChannelDirectory;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Called after whatever somebody may wait for. */
  changed(): void;
}

/** Who is in which channel, and the lines that they get. */
export class Chat {
  readonly #members = new Map<Channel, Set<ChatPeer>>();
  readonly #whispers = new Map<string, number>();

  constructor(private readonly deps: ChatDependencies) {}

  /** The clients in a channel. */
  members(channel: Channel): readonly ChatPeer[] {
    return [...(this.#members.get(channel) ?? [])];
  }

  /** The names of the channels that a client is in. */
  channelsOf(peer: ChatPeer): readonly string[] {
    return [...this.#members].filter(([, peers]) => peers.has(peer)).map(([channel]) => channel.name);
  }

  /** Lets a client in, or tells it why not. */
  join(peer: ChatPeer, channel: Channel): void {
    const refusal = this.#refusalToJoin(peer, channel);
    if (refusal !== undefined) {
      peer.send(noticeLine(channel.name, refusal), 'twitch.tv/commands');
      return;
    }
    const peers = this.#members.get(channel) ?? new Set();
    this.#members.set(channel, peers);
    peers.add(peer);
    this.#announce(peer, channel, 'JOIN');
    this.#greet(peer, channel);
    this.deps.changed();
  }

  /** Lets a client out. */
  part(peer: ChatPeer, channel: Channel): void {
    if (this.#members.get(channel)?.has(peer) !== true) return;
    this.#announce(peer, channel, 'PART');
    this.#members.get(channel)?.delete(peer);
    this.deps.changed();
  }

  /** Forgets a client whose connection has ended. */
  leave(peer: ChatPeer): void {
    for (const [channel, peers] of this.#members) {
      if (!peers.delete(peer)) continue;
      this.#announce(peer, channel, 'PART');
    }
    this.deps.changed();
  }

  /** Puts a message in a channel and shows it to everybody there but the connection that it came from. */
  post(channel: Channel, draft: MessageDraft, sender?: ChatPeer, id: string = randomUUID()): ChatMessage {
    const message = channel.add({
      ...draft,
      id,
      channel: channel.name,
      sentAt: this.deps.now(),
      deleted: false,
    });
    const parent = draft.replyTo === undefined ? undefined : channel.find(draft.replyTo);
    const line = privmsg(message, channel, parent);
    for (const peer of this.members(channel)) if (peer !== sender) peer.send(line);
    this.deps.changed();
    return message;
  }

  /** Hands a private message to the recipient's connections. Returns its id and how many connections got it. */
  whisper(
    from: TwitchUser,
    to: TwitchUser,
    text: string,
    extra: Tags,
    peers: Iterable<ChatPeer>,
  ): { readonly id: string; readonly delivered: number } {
    const thread = threadId(from, to);
    const count = (this.#whispers.get(thread) ?? 0) + 1;
    this.#whispers.set(thread, count);
    const line = whisper(from, to, text, String(count), extra);
    let delivered = 0;
    for (const peer of peers) {
      if (peer.user !== to || !peer.scopes.includes('whispers:read')) continue;
      peer.send(line, 'twitch.tv/commands');
      delivered += 1;
    }
    return { id: String(count), delivered };
  }

  /** Shows a line to everybody in a channel who has asked for the capability. */
  broadcast(channel: Channel, line: WireMessage, needs: Capability): void {
    for (const peer of this.members(channel)) peer.send(line, needs);
    this.deps.changed();
  }

  /** Takes a user's right to speak, for good or until a time, and wipes what they have said. */
  ban(channel: Channel, target: TwitchUser, durationSeconds: number | undefined): void {
    const until = durationSeconds === undefined ? Infinity : this.deps.now() + durationSeconds * 1_000;
    channel.bans.set(target.login, until);
    for (const message of channel.messages) if (message.author === target) message.deleted = true;
    this.clear(channel, target, durationSeconds);
  }

  /** Announces that a user's messages, or all, are gone: CLEARCHAT. */
  clear(channel: Channel, target?: TwitchUser, durationSeconds?: number): void {
    const line: WireMessage = {
      tags: {
        'room-id': channel.owner.id,
        'tmi-sent-ts': String(this.deps.now()),
        ...(target === undefined ? {} : { 'target-user-id': target.id }),
        ...(durationSeconds === undefined ? {} : { 'ban-duration': String(durationSeconds) }),
      },
      prefix: SERVER,
      command: 'CLEARCHAT',
      params: [`#${channel.name}`],
      ...(target === undefined ? {} : { text: target.login }),
    };
    this.broadcast(channel, line, 'twitch.tv/commands');
  }

  /** Takes one message away: CLEARMSG. */
  remove(channel: Channel, message: ChatMessage): void {
    message.deleted = true;
    const line: WireMessage = {
      tags: {
        login: message.author.login,
        'room-id': channel.owner.id,
        'target-msg-id': message.id,
        'tmi-sent-ts': String(this.deps.now()),
      },
      prefix: SERVER,
      command: 'CLEARMSG',
      params: [`#${channel.name}`],
      text: message.text,
    };
    this.broadcast(channel, line, 'twitch.tv/commands');
  }

  #refusalToJoin(peer: ChatPeer, channel: Channel): ReturnType<typeof notice> | undefined {
    if (channel.rules.suspended) return notice('msg_channel_suspended');
    const bannedUntil = channel.bans.get(peer.nick) ?? 0;
    return bannedUntil === Infinity ? notice('msg_banned', channel.name) : undefined;
  }

  /** tmi.js takes a JOIN for failed unless USERSTATE comes before ROOMSTATE. */
  #greet(peer: ChatPeer, channel: Channel): void {
    const names = { prefix: `${peer.nick}.${SERVER}` };
    const room = `#${channel.name}`;
    peer.send({ ...names, command: '353', params: [peer.nick, '=', room], text: peer.nick });
    peer.send({ ...names, command: '366', params: [peer.nick, room], text: 'End of /NAMES list' });
    if (peer.user !== undefined) peer.send(userState(peer.user, channel), 'twitch.tv/commands');
    peer.send(roomState(channel), 'twitch.tv/commands');
  }

  #announce(peer: ChatPeer, channel: Channel, command: 'JOIN' | 'PART'): void {
    const line = { prefix: prefixOf(peer.nick), command, params: [`#${channel.name}`] };
    for (const member of this.members(channel)) {
      if (member === peer) member.send(line);
      else member.send(line, 'twitch.tv/membership');
    }
  }
}
