import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type Capability } from '../model/chat.js';
import { type MomentaryFault } from '../fault-schema.js';
import { type ConnectionDependencies, IrcConnection } from './irc-connection.js';
import { SERVER } from './wire-messages.js';

/** A connection as the control API shows it. */
export interface ConnectionView {
  /** Empty before the login. */
  readonly nick: string;
  readonly channels: readonly string[];
  readonly capabilities: readonly Capability[];
  readonly quiet: 'no' | 'muted' | 'frozen';
}

/** Longest frame of a client, in bytes: its tags and its message, and some room. */
const MAX_FRAME_BYTES = 64 * 1024;

/**
 * Whether an upgrade request is a chat client's: path `/`, where all of them go, or `/twitch` for those who want to
 * be clear. A Discord gateway client also asks for `/`, but names its version there and no subprotocol `irc`.
 */
export function isChatUpgrade(url: string, protocols: string | undefined): boolean {
  if (!URL.canParse(url, 'ws://sandbox')) return false;
  const { pathname, searchParams } = new URL(url, 'ws://sandbox');
  if (pathname === '/twitch' || pathname === '/twitch/') return true;
  const offersIrc = (protocols ?? '').split(',').some((protocol) => protocol.trim().toLowerCase() === 'irc');
  return pathname === '/' && (offersIrc || !searchParams.has('v'));
}

/** Accepts the clients' sockets, or refuses them when a fault says so. */
export class IrcServer {
  readonly #connections = new Set<IrcConnection>();
  readonly #heldUpgrades = new Set<Duplex>();
  readonly #websockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });
  #upgrades = 0;

  constructor(private readonly deps: ConnectionDependencies) {}

  /** How many connections were asked for, refused ones included. */
  get upgrades(): number {
    return this.#upgrades;
  }

  get connections(): ReadonlySet<IrcConnection> {
    return this.#connections;
  }

  views(): readonly ConnectionView[] {
    return [...this.#connections].map((connection) => ({
      nick: connection.nick,
      channels: this.deps.chat.channelsOf(connection),
      capabilities: connection.capabilities,
      quiet: connection.quiet,
    }));
  }

  /** Takes an upgrade request, or does to it what an armed fault wants. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgrades += 1;
    const refusal = this.deps.faults.strike('refuse-connections');
    if (refusal === undefined) {
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
        const connection = new IrcConnection(websocket, socket, this.deps, () => {
          this.#connections.delete(connection);
        });
        this.#connections.add(connection);
        const anybody = this.deps.faults.strike(
          'half-open',
          ({ newConnections, login }) => newConnections && login === undefined,
        );
        if (anybody !== undefined) connection.freeze();
        if (this.deps.faults.strike('silent')) connection.mute();
      });
    } else if (refusal.how === 'reset') {
      socket.destroy();
    } else if (refusal.how === 'http') {
      socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    } else {
      this.#heldUpgrades.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#heldUpgrades.delete(socket));
    }
    this.deps.changed();
  }

  /** Cuts off connections, or asks them to come again. Returns how many there were. */
  apply(fault: Extract<MomentaryFault, { kind: 'drop' | 'reconnect' }>): number {
    const targets = this.targets(fault.login);
    for (const connection of targets) {
      if (fault.kind === 'reconnect') {
        connection.send({ prefix: SERVER, command: 'RECONNECT' }, 'twitch.tv/commands');
        if (fault.closeAfterMs !== undefined) connection.later(fault.closeAfterMs, () => connection.end());
      } else if (fault.how === 'reset') connection.reset();
      else connection.end(fault.closeCode);
    }
    return targets.length;
  }

  /** The open connections of one login, or all. */
  targets(login: string | undefined): readonly IrcConnection[] {
    return [...this.#connections].filter(({ nick }) => login === undefined || nick === login);
  }

  /** Ends what a healed fault has left hanging: quiet connections are reset, unanswered upgrades dropped. */
  heal(): void {
    for (const connection of this.#connections) if (connection.quiet !== 'no') connection.reset();
    for (const socket of this.#heldUpgrades) socket.destroy();
  }

  /** Ends all sockets. */
  close(): void {
    for (const connection of this.#connections) connection.reset();
    for (const socket of this.#heldUpgrades) socket.destroy();
    this.#websockets.close();
  }
}
