import { type Duplex } from 'node:stream';
import { type RawData, type WebSocket } from 'ws';
import { type FaultRules } from '../../fault-rules.js';
import { resetConnection } from '../../reset-connection.js';
import { sendRaw } from '../../send-raw.js';
import { GARBAGE, type Wire } from '../../wire.js';
import { EventStream } from './event-stream.js';
import { type ArmedFault, type MomentaryFault } from '../fault-schema.js';
import { FrameWriter, statusText } from './frame-writer.js';
import { type GateResult } from '../rest/request-gate.js';
import { type Stats } from '../stats.js';
import { type SyncStore } from '../sync/sync-store.js';
import { admitToken } from './token-admission.js';
import { TokenTimers } from './token-timers.js';
import { type TokenAuthority, type TokenClaims } from './tokens.js';
import { type TunnelPeer, type TunnelRequest, toTunnelRequest } from '../tunnel/tunnel-request.js';
import { decodeFrame, FrameError } from './twilsock-frame.js';
import { type TwilsockSession, type TwilsockSessions } from './twilsock-session.js';

/** What a connection needs from its surroundings. */
export interface ConnectionDependencies {
  readonly authority: TokenAuthority;
  readonly store: SyncStore;
  readonly sessions: TwilsockSessions;
  readonly faults: FaultRules<ArmedFault>;
  readonly stats: Stats;
  readonly tokenWarningMs: number;
  readonly pingIntervalMs: number;
  now(): number;
  handle(request: TunnelRequest, peer: TunnelPeer): Promise<GateResult>;
  readonly wire: Wire;
  /** Called when a client has come or gone. */
  changed(): void;
  log(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Who has shown a valid token, and what goes with it. */
interface Login {
  readonly session: TwilsockSession;
  readonly events: EventStream;
}

/** One Twilsock connection: frames in, token, tunnelled requests, faults. */
export class TwilsockConnection {
  #login: Login | undefined;
  #frozen = false;
  readonly #writer: FrameWriter;
  readonly #pings: NodeJS.Timeout;
  readonly #tokenTimers: TokenTimers;

  /** @param transport the TCP socket under the WebSocket. */
  constructor(
    private readonly socket: WebSocket,
    private readonly transport: Duplex,
    private readonly deps: ConnectionDependencies,
    onClosed: () => void,
  ) {
    this.#writer = new FrameWriter(socket);
    this.#tokenTimers = new TokenTimers(deps.tokenWarningMs, {
      aboutToExpire: () => {
        this.#writer.warnOfTokenEnd();
      },
      expired: () => {
        this.#writer.close(410);
      },
    });
    this.#pings = setInterval(() => {
      this.#writer.ping();
    }, deps.pingIntervalMs).unref();
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#receive(toBuffer(data));
    });
    // A reset socket reports an error before it closes; `close` does the cleaning up.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(this.#pings);
      this.#tokenTimers.clear();
      this.#login?.events.close();
      onClosed();
      deps.changed();
    });
  }

  /** Empty until the client has shown a valid token. */
  get identity(): string {
    return this.#login?.events.identity ?? '';
  }

  /** Whether it has been made to fall silent. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Goes silent in both directions while the TCP connection stays. */
  freeze(): void {
    this.#frozen = true;
    this.#writer.silence();
    this.socket.pause();
  }

  /** Ends the connection at once by a TCP reset, without a word. */
  reset(): void {
    resetConnection(this.transport);
  }

  /** Lets a momentary fault act on this connection. */
  apply(fault: MomentaryFault): void {
    switch (fault.kind) {
      case 'drop':
        if (!fault.replay) this.#login?.session.beginOutage(this.deps.store.sequence);
        if (fault.how === 'reset') this.reset();
        else this.socket.close(fault.closeCode);
        return;
      case 'close-frame':
        this.#writer.close(fault.status, fault.reconnectMinMs);
        return;
      case 'token-about-to-expire':
        this.#writer.warnOfTokenEnd();
        return;
      case 'raw':
        sendRaw(this.socket, this.transport, fault);
        return;
    }
    fault satisfies never;
  }

  /** Tells a chat participant that somebody is typing. */
  notifyTyping(conversationSid: string, identity: string): void {
    const event = { channel_sid: conversationSid, identity, typing_timeout: 5 };
    this.#writer.notify(event, 'twilio.ipmsg.typing_indicator');
  }

  #receive(bytes: Buffer): void {
    if (this.#frozen) return;
    try {
      const { header, payload } = decodeFrame(bytes);
      this.#dispatch(header, payload);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.deps.log('twilio.frame.malformed', { reason: error.message });
      this.socket.close(1002, error.message);
    }
  }

  #dispatch(header: Readonly<Record<string, unknown>>, payload: Buffer): void {
    const { method, continuation_token: continuation, http_request: request } = header;
    const id = typeof header['id'] === 'string' ? header['id'] : '';
    const token = typeof header['token'] === 'string' ? header['token'] : '';
    this.deps.stats.count(`frame ${String(method)}`);
    if ((method === 'init' || method === 'update') && this.#isStruck(id, method)) return;
    switch (method) {
      case 'init':
        this.#init(id, token, continuation);
        return;
      case 'update':
        if (this.#admit(id, token, 'update') !== undefined) {
          this.#writer.reply(id, { code: 200, status: 'OK' });
        }
        return;
      case 'message':
        this.#request(id, request, payload);
        return;
      case 'reply':
      case 'close':
      case 'telemetry.v1':
        return;
      default:
        this.#writer.reply(id, { code: 200, status: 'OK' });
    }
  }

  #isStruck(id: string, method: 'init' | 'update'): boolean {
    const answer = this.deps.wire.pass(`twilsock ${method}`);
    switch (answer?.kind) {
      case undefined:
        return false;
      case 'status': {
        const description = 'Refused by a rule of the sandbox';
        const { status } = answer;
        this.#writer.reply(id, { code: status, status: statusText(status), description, errorCode: 0 });
        return true;
      }
      case 'garbage':
        this.socket.send(GARBAGE);
        return true;
      case 'cut':
        this.reset();
        return true;
      case 'hang':
        return true;
    }
  }

  #init(id: string, token: string, continuation: unknown): void {
    const claims = this.#admit(id, token, 'init');
    if (claims === undefined) return;
    const { session, reissued } = this.deps.sessions.resume(continuation, this.deps.store.sequence);
    this.#login?.events.close();
    this.#login = { session, events: new EventStream(claims.identity, session, this.#writer, this.deps) };
    this.#writer.reply(id, { code: 200, status: 'OK' }, undefined, {
      capabilities: ['client_update', 'offline_storage'],
      continuation_token: session.token,
      continuation_token_status: reissued
        ? { reissued, reissue_reason: 'MISSING', reissue_message: 'Continuation token is not provided' }
        : { reissued },
      offline_storage: { ip_messaging: { storage_id: session.token } },
      init_registrations: [],
    });
    this.deps.changed();
    this.deps.log('twilio.client.connected', { identity: claims.identity, resumed: !reissued });
  }

  /** Checks a token and watches its life; a refusal is told to the client. */
  #admit(id: string, token: string, on: 'init' | 'update'): TokenClaims | undefined {
    const { authority, faults } = this.deps;
    const now = this.deps.now();
    const admission = admitToken(token, on, this.identity, { authority, faults, now });
    if (admission.ok) {
      const fault = faults.strike('token-life');
      const end = fault === undefined ? Infinity : now + fault.seconds * 1_000;
      const claims = { ...admission.claims, expiresAt: Math.min(admission.claims.expiresAt, end) };
      this.#tokenTimers.watch(claims, now, fault?.warns);
      return claims;
    }
    const { status, code, description, reconnectMinMs } = admission.refusal;
    this.deps.stats.count(`refused token ${code}`);
    this.deps.log('twilio.token.refused', { on, code, reason: description });
    this.#writer.reply(
      id,
      { code: status, status: statusText(status), description, errorCode: code },
      reconnectMinMs === undefined ? undefined : { backoff_policy: { reconnect_min_ms: reconnectMinMs } },
    );
    return undefined;
  }

  #request(id: string, described: unknown, payload: Buffer): void {
    const request = toTunnelRequest(described, payload);
    const events = this.#login?.events;
    if (request === undefined || events === undefined) {
      const description = request === undefined ? 'http_request is malformed' : 'no valid token was shown';
      this.#writer.reply(id, { code: 400, status: statusText(400), description });
      return;
    }
    this.deps.handle(request, events).then(
      (result) => {
        if (result.kind === 'answer') this.#writer.answer(id, result.answer);
        else if (result.how === 'drop') this.reset();
      },
      (error: unknown) => {
        this.deps.log('twilio.request.failed', { path: request.path, error: String(error) });
        this.reset();
      },
    );
  }
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
