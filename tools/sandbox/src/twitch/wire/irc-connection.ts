import { type Duplex } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import { resetConnection } from '../../reset-connection.js';
import { type Wire } from '../../wire.js';
import { type ChannelDirectory } from '../model/channels.js';
import { CAPABILITIES, type Capability, type Chat, type ChatPeer } from '../model/chat.js';
import { type CommandLog } from '../model/command-log.js';
import { formatIrcLine, type ParsedLine, parseIrcLine, splitLines, type WireMessage } from './irc-line.js';
import { concerns } from '../fault-schema.js';
import { type Identity, logIn, type LoginDependencies } from './login.js';
import { notice } from '../model/notices.js';
import { type RateLimit, type SlidingWindow } from '../model/rate-limits.js';
import { type Speech } from '../model/speech.js';
import { isLogin, type TwitchUser } from '../model/users.js';
import { globalUserState, loginFailure, noticeLine, SERVER, welcome } from './wire-messages.js';

/** What a connection needs from its surroundings. */
export interface ConnectionDependencies extends LoginDependencies {
  readonly chat: Chat;
  readonly channels: ChannelDirectory;
  readonly commands: CommandLog;
  readonly speech: Speech;
  readonly joins: SlidingWindow;
  readonly joinLimit: RateLimit;
  /** Milliseconds. */
  readonly pingIntervalMs: number;
  readonly wire: Wire;
  changed(): void;
  log(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** One IRC connection over a WebSocket: registration, channels, messages, and the faults that act on a socket. */
export class IrcConnection implements ChatPeer {
  readonly #capabilities = new Set<Capability>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #pings: NodeJS.Timeout;
  #pass: string | undefined;
  #identity: Identity | undefined;
  #quiet: 'no' | 'muted' | 'frozen' = 'no';
  #pongDue = false;

  constructor(
    private readonly socket: WebSocket,
    private readonly transport: Duplex,
    private readonly deps: ConnectionDependencies,
    onClosed: () => void,
  ) {
    socket.on('message', (data) => {
      this.#receive(toText(data));
    });
    // A reset socket reports an error before it closes; `close` does the cleaning up.
    socket.on('error', () => undefined);
    this.#pings = setInterval(() => {
      if (this.#pongDue) this.reset();
      else this.ping();
    }, deps.pingIntervalMs).unref();
    socket.on('close', () => {
      clearInterval(this.#pings);
      for (const timer of this.#timers) clearTimeout(timer);
      onClosed();
      deps.chat.leave(this);
      deps.log('twitch.connection.closed', { nick: this.nick });
    });
  }

  /** Empty until the client has logged in. */
  get nick(): string {
    return this.#identity?.nick ?? '';
  }

  get user(): TwitchUser | undefined {
    return this.#identity?.user;
  }

  get scopes(): readonly string[] {
    return this.#identity?.scopes ?? [];
  }

  get capabilities(): readonly Capability[] {
    return [...this.#capabilities];
  }

  /** `muted` hears and does not answer; `frozen` does neither. */
  get quiet(): 'no' | 'muted' | 'frozen' {
    return this.#quiet;
  }

  send(message: WireMessage, needs?: Capability): void {
    if (needs !== undefined && !this.#capabilities.has(needs)) return;
    this.sendRaw(formatIrcLine(message, this.#capabilities.has('twitch.tv/tags')));
  }

  /** Sends a line as it stands, whether it makes sense or not. */
  sendRaw(line: string): void {
    if (this.#quiet === 'no' && this.socket.readyState === WebSocket.OPEN) this.socket.send(`${line}\r\n`);
  }

  /** Asks for a sign of life; the connection is cut off when none has come by the next ping. */
  ping(): void {
    this.#pongDue = true;
    this.send({ command: 'PING', text: SERVER });
  }

  /** Hears, and never answers again. */
  mute(): void {
    this.#quiet = 'muted';
  }

  /** Goes silent in both directions while the TCP connection stays. */
  freeze(): void {
    this.#quiet = 'frozen';
    this.socket.pause();
  }

  end(code = 1000): void {
    this.socket.close(code);
  }

  reset(): void {
    resetConnection(this.transport);
  }

  later(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }

  #receive(frame: string): void {
    for (const [index, text] of splitLines(frame).entries()) {
      const line = parseIrcLine(text);
      if (line === undefined) continue;
      // Before the login a client may well send its first commands in one frame.
      if (index > 0 && this.#identity !== undefined) {
        const [target] = line.params;
        this.deps.commands.record({
          channel: target?.startsWith('#') === true ? target.slice(1).toLowerCase() : undefined,
          login: this.nick,
          via: 'line',
          name: line.command,
          text,
          result: 'executed',
        });
      }
      this.#execute(line);
    }
  }

  #execute(line: ParsedLine): void {
    const [first = ''] = line.params;
    const peer = { send: (bytes: Buffer) => this.socket.send(bytes), reset: () => this.reset() };
    if (this.deps.wire.strikesInside(`irc ${line.command}`, peer)) return;
    switch (line.command) {
      case 'CAP':
        this.#negotiate(line.params);
        return;
      case 'PASS':
        this.#pass = first;
        return;
      case 'NICK':
        if (this.#identity === undefined) this.#logIn(first.toLowerCase());
        return;
      case 'USER':
        return;
      case 'PING':
        this.#pong(line.params[0]);
        return;
      case 'PONG':
        this.#pongDue = false;
        return;
      case 'QUIT':
        this.end();
        return;
      default:
        if (this.#identity !== undefined) this.#executeRegistered(line, first);
    }
  }

  #executeRegistered({ command, params, tags }: ParsedLine, target: string): void {
    switch (command) {
      case 'JOIN':
        for (const name of channelNames(target)) {
          if (this.deps.joins.hit(this.nick) > this.deps.joinLimit.count) continue;
          this.#join(name);
        }
        return;
      case 'PART':
        for (const name of channelNames(target)) this.deps.chat.part(this, this.deps.channels.ensure(name));
        return;
      case 'PRIVMSG':
        this.deps.speech.hear(this, { channel: target, text: params[1] ?? '', tags });
        return;
      default:
        this.send({ prefix: SERVER, command: '421', params: [this.nick, command], text: 'Unknown command' });
    }
  }

  #join(name: string): void {
    const { channels, chat, faults } = this.deps;
    const strikes = (fault: Parameters<typeof concerns>[0]): boolean => concerns(fault, this.nick, name);
    if (faults.strike('swallow-join', strikes) !== undefined) return;
    const refused = faults.strike('refuse-join', strikes);
    if (refused === undefined) {
      chat.join(this, channels.ensure(name));
      return;
    }
    const { msgId, text } = refused;
    this.send(
      noticeLine(name, { ...notice(msgId, name), ...(text === undefined ? {} : { text }) }),
      'twitch.tv/commands',
    );
  }

  #negotiate([subcommand = '', ...rest]: readonly string[]): void {
    const answer = (kind: string, text: string): void =>
      this.send({ prefix: SERVER, command: 'CAP', params: ['*', kind], text });
    switch (subcommand.toUpperCase()) {
      case 'LS':
        answer('LS', CAPABILITIES.join(' '));
        return;
      case 'LIST':
        answer('LIST', this.capabilities.join(' '));
        return;
      case 'REQ': {
        const names = rest.join(' ').trim();
        const wanted = names.split(/\s+/);
        if (wanted.every(isCapability)) for (const name of wanted) this.#capabilities.add(name);
        answer(wanted.every(isCapability) ? 'ACK' : 'NAK', names);
      }
    }
  }

  #logIn(nick: string): void {
    const identity = logIn(nick, this.#pass, this.deps);
    this.#pass = undefined;
    if (typeof identity === 'string') {
      this.deps.log('twitch.login.refused', { nick, reason: identity });
      this.send(loginFailure(identity));
      this.end();
      return;
    }
    this.#identity = identity;
    const dead = this.deps.faults.strike(
      'half-open',
      ({ newConnections, login }) => newConnections && login === nick,
    );
    if (dead !== undefined) this.freeze();
    this.deps.log('twitch.login.accepted', { nick });
    for (const line of welcome(nick)) this.send(line);
    if (identity.user !== undefined) this.send(globalUserState(identity.user), 'twitch.tv/commands');
    this.deps.changed();
  }

  /** Bare for a bare PING: tmi.js cannot read a PONG with a prefix. */
  #pong(argument: string | undefined): void {
    const nick = this.nick;
    if (this.deps.faults.strike('no-pong', ({ login }) => login === undefined || login === nick)) return;
    if (argument === undefined) this.send({ command: 'PONG' });
    else this.send({ prefix: SERVER, command: 'PONG', params: [SERVER], text: argument });
  }
}

function channelNames(list: string): readonly string[] {
  return list
    .toLowerCase()
    .split(',')
    .filter((name) => name.startsWith('#'))
    .map((name) => name.slice(1))
    .filter(isLogin);
}

function isCapability(name: string): name is Capability {
  return CAPABILITIES.some((known) => known === name);
}

function toText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
