import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type MomentaryFault } from '../fault-schema.js';
import { type ConnectionDependencies, TwilsockConnection } from './twilsock-connection.js';

/** Path of the WebSocket, as at Twilio. */
export const TWILSOCK_PATH = '/v3/wsconnect';

/** Accepts the SDK's sockets, or refuses them when a fault says so. */
export class TwilsockServer {
  readonly #connections = new Set<TwilsockConnection>();
  readonly #heldUpgrades = new Set<Duplex>();
  readonly #websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  constructor(private readonly deps: ConnectionDependencies) {}

  /** Sockets that are open, and how many of them are silent. */
  get sockets(): { readonly open: number; readonly silent: number } {
    const silent = [...this.#connections].filter((connection) => connection.frozen).length;
    return { open: this.#connections.size, silent };
  }

  /** Takes an upgrade request, or does to it what an armed fault wants. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.deps.stats.count('socket upgrades');
    const refusal = this.deps.faults.strike('refuse-connections');
    if (refusal === undefined) {
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
        const connection = new TwilsockConnection(websocket, socket, this.deps, () => {
          this.#connections.delete(connection);
        });
        this.#connections.add(connection);
        if (this.deps.faults.strike('half-open', ({ newConnections }) => newConnections)) connection.freeze();
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
  }

  /** Lets a momentary fault act on the open sockets. Returns how many there were. */
  apply(fault: MomentaryFault): number {
    const targets = this.#targets(fault.identity);
    for (const connection of targets) connection.apply(fault);
    return targets.length;
  }

  /** Silences the open sockets. Returns how many there were. */
  freeze(identity: string | undefined): number {
    const targets = this.#targets(identity);
    for (const connection of targets) connection.freeze();
    return targets.length;
  }

  /** Ends what faults have left hanging: silent sockets are reset, unanswered upgrades dropped. */
  resetSilent(): void {
    for (const connection of this.#connections) if (connection.frozen) connection.reset();
    for (const socket of this.#heldUpgrades) socket.destroy();
  }

  /** Shows the chat participants among `identities` that somebody is typing. */
  notifyTyping(conversationSid: string, typist: string, identities: ReadonlySet<string>): void {
    for (const connection of this.#connections) {
      if (identities.has(connection.identity)) connection.notifyTyping(conversationSid, typist);
    }
  }

  /** Ends all sockets. */
  close(): void {
    for (const connection of this.#connections) connection.reset();
    for (const socket of this.#heldUpgrades) socket.destroy();
    this.#websockets.close();
  }

  #targets(identity: string | undefined): readonly TwilsockConnection[] {
    return [...this.#connections].filter(
      (connection) => identity === undefined || connection.identity === identity,
    );
  }
}
