import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { type WebSocket } from 'ws';
import { type JsonObject } from '../../json.js';
import { type Answer } from '../rest/request-gate.js';
import { encodeFrame } from './twilsock-frame.js';

/** Writes the server's frames to one socket; nothing any more once it is closing or has been silenced. */
export class FrameWriter {
  #silent = false;

  constructor(private readonly socket: WebSocket) {}

  /** Writes nothing from now on. */
  silence(): void {
    this.#silent = true;
  }

  /** Replies to a frame of the client's. */
  reply(id: string, status: JsonObject, payload?: JsonObject, fields: JsonObject = {}): void {
    this.#send({ method: 'reply', id, status, ...fields }, payload);
  }

  /** Replies with the answer to a tunnelled request. */
  answer(id: string, { status, body, headers }: Answer): void {
    this.#send(
      {
        method: 'reply',
        id,
        status: { code: 200, status: 'OK' },
        http_status: { code: status, status: statusText(status) },
        http_headers: { 'content-type': 'application/json', ...headers },
      },
      body,
    );
  }

  /** Pushes a notification. */
  notify(payload: JsonObject, messageType = 'twilio.sync.event'): void {
    this.#send({ method: 'notification', id: frameId(), message_type: messageType }, payload);
  }

  /** Asks whether anybody is there. */
  ping(): void {
    this.#send({ method: 'ping', id: frameId() });
  }

  /** Tells the client that its token is about to expire. */
  warnOfTokenEnd(): void {
    this.#send({ method: 'client_update', id: frameId(), client_update_type: 'token_about_to_expire' });
  }

  /** Tells the client to close the socket; what it does then depends on the status. */
  close(status: number, reconnectMinMs?: number): void {
    this.#send(
      { method: 'close', id: frameId(), status: { code: status, status: closeText(status) } },
      reconnectMinMs === undefined ? undefined : { backoff_policy: { reconnect_min_ms: reconnectMinMs } },
    );
  }

  #send(header: Readonly<Record<string, unknown>>, payload?: unknown): void {
    if (this.#silent || this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(encodeFrame(header, payload));
  }
}

/** The name of an HTTP status as Twilsock writes it. */
export function statusText(status: number): string {
  return (STATUS_CODES[status] ?? 'Unknown').toUpperCase();
}

function closeText(status: number): string {
  return { 308: 'OFFLOAD', 410: 'TOKEN EXPIRED' }[status] ?? statusText(status);
}

function frameId(): string {
  return `TM${randomUUID()}`;
}
