import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type MomentaryFault } from '../fault-schema.js';
import { GatewayConnection, type GatewayContext, isOut } from './gateway-connection.js';
import { type GatewayEvent, toGuildCreate, toGuildDelete } from './gateway-events.js';
import { closeCodes } from './gateway-frames.js';
import { type Guild } from '../model/records.js';

/** Whether an upgrade is meant for Discord's gateway: its address carries the API's version, `/?v=10&encoding=json`. */
export function isGatewayRequest(request: IncomingMessage): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const protocols = request.headers['sec-websocket-protocol'] ?? '';
  return pathname === '/' && searchParams.has('v') && !/\birc\b/.test(protocols);
}

/** Accepts the clients' sockets, or refuses them when a fault says so. */
export class GatewayServer {
  readonly #connections = new Set<GatewayConnection>();
  readonly #heldUpgrades = new Set<Duplex>();
  readonly #websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  constructor(private readonly context: GatewayContext) {}

  /** Sockets that are open, and how many of them are silent. */
  get sockets(): { readonly open: number; readonly silent: number } {
    const silent = [...this.#connections].filter(({ frozen }) => frozen).length;
    return { open: this.#connections.size, silent };
  }

  /** Takes an upgrade request, or does to it what an armed fault wants. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node has taken its own listener away; a client that goes now must not end the process.
    socket.on('error', () => undefined);
    this.context.count('upgrade');
    const refusal = this.context.faults.strike('refuse-connections', ({ target }) => target !== 'rest');
    if (refusal === undefined) {
      this.#accept(request, socket, head);
    } else if (refusal.how === 'reset') {
      socket.destroy();
    } else if (refusal.how === 'http') {
      refuse(socket, `${refusal.status} Refused`, '');
    } else {
      this.#heldUpgrades.add(socket);
      socket.on('close', () => this.#heldUpgrades.delete(socket));
    }
    this.context.changed();
  }

  /** Gives an event to all sessions, with or without a socket. */
  publish(event: GatewayEvent): void {
    for (const session of this.context.sessions.sessions()) session.offer(event);
  }

  /** Tells all sessions that a guild, or each of them, has an outage. */
  beginOutage(guildId: string | undefined): void {
    for (const { id } of this.#guilds(guildId)) this.publish(toGuildDelete(id, true));
  }

  /** Brings a guild back, or each of them, unless another fault keeps it away. */
  endOutage(guildId: string | undefined): void {
    for (const { id } of this.#guilds(guildId)) {
      const event = isOut(this.context, id) ? undefined : toGuildCreate(this.context.model, id);
      if (event !== undefined) this.publish(event);
    }
  }

  /** Lets a momentary fault act on the open sockets. Returns how many there were. */
  apply(fault: MomentaryFault): number {
    const targets = [...this.#connections];
    if (fault.kind === 'lose-sessions') {
      for (const session of this.context.sessions.sessions()) this.context.sessions.remove(session);
    }
    for (const connection of targets) act(connection, fault);
    if (fault.kind === 'session-starts') this.context.sessions.setRemaining(fault.remaining);
    return targets.length;
  }

  /** Closes all sockets with a code. */
  closeAll(code: number, reason: string): void {
    for (const connection of this.#connections) connection.close(code, reason);
  }

  /** Ends what a healed fault has left hanging: silent sockets are reset, unanswered upgrades dropped. */
  heal(): void {
    for (const connection of this.#connections) if (connection.frozen) connection.reset();
    for (const socket of this.#heldUpgrades) socket.destroy();
  }

  /** Ends all sockets. */
  close(): void {
    for (const connection of this.#connections) connection.reset();
    for (const socket of this.#heldUpgrades) socket.destroy();
    this.#websockets.close();
  }

  #guilds(guildId: string | undefined): readonly Guild[] {
    return this.context.model.guilds().filter(({ id }) => guildId === undefined || id === guildId);
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const compress = searchParams.get('compress');
    if (compress !== null || (searchParams.get('encoding') ?? 'json') !== 'json') {
      refuse(
        socket,
        '400 Bad Request',
        'The sandbox speaks encoding=json without transport compression. Switch the client to that.',
      );
      return;
    }
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => {
      const connection = new GatewayConnection(websocket, socket, this.context, () => {
        this.#connections.delete(connection);
      });
      this.#connections.add(connection);
      if (searchParams.get('v') === '10') connection.open();
      else connection.close(closeCodes.invalidVersion, 'Invalid API version');
    });
  }
}

function act(connection: GatewayConnection, fault: MomentaryFault): void {
  switch (fault.kind) {
    case 'drop':
      if (fault.how === 'reset') connection.reset();
      else connection.close(fault.closeCode, 'Caused by a fault of the sandbox');
      break;
    case 'lose-sessions':
      connection.reset();
      break;
    case 'reconnect':
      connection.askToReconnect();
      break;
    case 'invalid-session':
      connection.invalidateSession(fault.resumable);
      break;
    case 'half-open':
      connection.freeze();
      break;
    case 'raw':
      connection.sendRaw(fault);
      break;
    case 'session-starts':
      break;
  }
}

function refuse(socket: Duplex, status: string, text: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
