import { trimOldest } from '../../history-limit.js';
import { type Tags } from '../wire/irc-line.js';
import { type TwitchUser, type UserDirectory } from './users.js';

/** A message that stands in a channel. */
export interface ChatMessage {
  /** Position in the channel, from 1. */
  readonly seq: number;
  readonly id: string;
  readonly channel: string;
  readonly author: TwitchUser;
  /** As everybody in the channel sees it. */
  readonly text: string;
  /** Whether it was written with `/me`. */
  readonly action: boolean;
  /** The message that it answers. */
  readonly replyTo: string | undefined;
  /** What sets it apart from an ordinary message: cheer, redemption, shared chat. */
  readonly extraTags: Tags;
  /** `irc`: by a connected client. `control`: through the control API. */
  readonly via: 'irc' | 'control';
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** The sender's text was longer than Twitch takes: its end is missing. */
  readonly cut: boolean;
  deleted: boolean;
}

/** What everybody in a channel must respect. */
export interface ChannelRules {
  readonly suspended: boolean;
  /** Seconds between two messages of one ordinary user; 0 is off. */
  readonly slowSeconds: number;
  readonly emoteOnly: boolean;
  readonly subscribersOnly: boolean;
  readonly followersOnly: boolean;
}

/** A channel: its owner, its rules, and what was said in it. */
export class Channel {
  rules: ChannelRules = {
    suspended: false,
    slowSeconds: 0,
    emoteOnly: false,
    subscribersOnly: false,
    followersOnly: false,
  };
  /** Logins. */
  readonly moderators = new Set<string>();
  /** Logins. */
  readonly vips = new Set<string>();
  /** When each banned login may speak again: milliseconds since the epoch, `Infinity` for a ban. */
  readonly bans = new Map<string, number>();
  readonly #messages: ChatMessage[] = [];
  readonly #byId = new Map<string, ChatMessage>();
  #lastSeq = 0;

  /** @param owner the broadcaster; the channel has its login as name and its id as room id. */
  constructor(
    readonly owner: TwitchUser,
    private readonly historyLimit: number,
  ) {}

  get name(): string {
    return this.owner.login;
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Moderator or broadcaster. */
  isPrivileged(login: string): boolean {
    return login === this.name || this.moderators.has(login);
  }

  /** Moderator, broadcaster or VIP: free of the limits for ordinary users. */
  isTrusted(login: string): boolean {
    return this.isPrivileged(login) || this.vips.has(login);
  }

  find(messageId: string): ChatMessage | undefined {
    return this.#byId.get(messageId);
  }

  /** The messages after a position, oldest first. */
  after(seq: number): readonly ChatMessage[] {
    const first = this.#messages[0]?.seq ?? 1;
    return this.#messages.slice(Math.max(0, seq + 1 - first));
  }

  /** Puts a message in its place. */
  add(message: Omit<ChatMessage, 'seq'>): ChatMessage {
    this.#lastSeq += 1;
    const added = { ...message, seq: this.#lastSeq };
    this.#messages.push(added);
    this.#byId.set(added.id, added);
    for (const { id } of trimOldest(this.#messages, this.historyLimit)) this.#byId.delete(id);
    return added;
  }
}

/** All channels. As every account has one, a channel is there as soon as somebody asks for it. */
export class ChannelDirectory {
  readonly #channels = new Map<string, Channel>();

  constructor(
    private readonly users: UserDirectory,
    private readonly historyLimit: number,
  ) {}

  list(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  /**
   * The channel of this name, with or without `#`.
   * @throws ControlError when no channel can have the name
   */
  ensure(name: string): Channel {
    const owner = this.users.ensure(name.replace(/^#/, ''));
    const known = this.#channels.get(owner.login);
    if (known !== undefined) return known;
    const channel = new Channel(owner, this.historyLimit);
    this.#channels.set(owner.login, channel);
    return channel;
  }
}
