import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type RawData, type WebSocket } from 'ws';
import { type JsonObject } from '../json.js';
import { type MomentaryFault } from './fault-schema.js';
import { type FaultRules } from './faults.js';
import { type Answer, type GateResult } from './request-gate.js';
import { type Stats } from './stats.js';
import { type SubscriptionsRequest } from './sync-requests.js';
import { type SyncEvent, type SyncObject, type SyncStore, type SyncSubscriber } from './sync-store.js';
import { EVENT_PROTOCOL_VERSION, eventType, toEventPayload } from './sync-wire.js';
import { checkToken, type TokenAuthority, type TokenClaims } from './tokens.js';
import { decodeFrame, encodeFrame, FrameError } from './twilsock-frame.js';
import { type TwilsockSession, type TwilsockSessions } from './twilsock-session.js';

/** A request that came through the socket. */
export interface TunnelRequest {
  readonly method: string;
  /** Decoded, without query. */
  readonly path: string;
  /** The path's parts, each decoded by itself: an identity may hold a slash. */
  readonly segments: readonly string[];
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Who sits at the other end, as the request handlers see it. */
export interface TunnelPeer {
  readonly identity: string;
  /** Opens or closes subscriptions: replay and confirmation are sent at once. */
  subscribe(request: SubscriptionsRequest, mayRead: (uniqueName: string) => boolean): void;
}

/** What a connection needs from its surroundings. */
export interface ConnectionDependencies {
  readonly authority: TokenAuthority;
  readonly store: SyncStore;
  readonly sessions: TwilsockSessions;
  readonly faults: FaultRules;
  readonly stats: Stats;
  readonly tokenWarningMs: number;
  readonly pingIntervalMs: number;
  now(): number;
  handle(request: TunnelRequest, peer: TunnelPeer): Promise<GateResult>;
  log(event: string, fields: Readonly<Record<string, unknown>>): void;
}

interface Replyable {
  readonly id: string;
}

/** Longest delay of a timer, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One Twilsock connection: init, token, tunnelled requests and pushed events. */
export class TwilsockConnection implements TunnelPeer, SyncSubscriber {
  #claims: TokenClaims | undefined;
  #session: TwilsockSession | undefined;
  #frozen = false;
  #tokenTimers: NodeJS.Timeout[] = [];
  readonly #subscriptions = new Set<string>();
  readonly #pings: NodeJS.Timeout;

  constructor(
    private readonly socket: WebSocket,
    private readonly transport: Duplex,
    private readonly deps: ConnectionDependencies,
    onClosed: () => void,
  ) {
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#receive(toBuffer(data));
    });
    // A reset socket reports an error before it closes; `close` does the cleaning up.
    socket.on('error', () => undefined);
    this.#pings = setInterval(() => {
      this.#send({ method: 'ping', id: frameId() });
    }, deps.pingIntervalMs).unref();
    socket.on('close', () => {
      clearInterval(this.#pings);
      this.#clearTokenTimers();
      deps.store.unsubscribeAll(this.#subscriptions, this);
      onClosed();
    });
  }

  /** Empty until the client has shown a valid token. */
  get identity(): string {
    return this.#claims?.identity ?? '';
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Goes silent in both directions while the TCP connection stays. */
  freeze(): void {
    this.#frozen = true;
    this.socket.pause();
  }

  /** Ends the socket at once with a TCP reset, without a word. */
  reset(): void {
    if (this.transport instanceof Socket) this.transport.resetAndDestroy();
    else this.socket.terminate();
  }

  /** Lets a momentary fault act on this connection. */
  apply(fault: MomentaryFault): void {
    switch (fault.kind) {
      case 'drop':
        if (!fault.replay && this.#session !== undefined) {
          this.#session.outageSince = this.deps.store.sequence;
        }
        if (fault.how === 'reset') this.reset();
        else this.socket.close(fault.closeCode);
        return;
      case 'close-frame':
        this.#close(fault.status, fault.reconnectMinMs);
        return;
      case 'token-about-to-expire':
        this.#warnOfTokenEnd();
        return;
    }
    fault satisfies never;
  }

  subscribe(request: SubscriptionsRequest, mayRead: (uniqueName: string) => boolean): void {
    for (const { object_sid: sid, object_type: type, last_event_id: last } of request.requests) {
      const object = this.deps.store.find(sid);
      const answer = (name: string, event: JsonObject): void =>
        this.#notify({
          event_type: name,
          correlation_id: request.correlation_id,
          event_protocol_version: EVENT_PROTOCOL_VERSION,
          event: { object_sid: sid, object_type: type, ...event },
        });
      if (request.action === 'cancel') {
        this.deps.store.unsubscribe(sid, this);
        this.#subscriptions.delete(sid);
        answer('subscription_canceled', {});
      } else if (object === undefined || !mayRead(object.uniqueName)) {
        answer('subscription_failed', { error: { status: 404, code: 54300, message: 'Object not found' } });
      } else {
        this.#subscriptions.add(sid);
        this.#replay(object, this.deps.store.subscribe(sid, last, this));
        answer('subscription_established', {
          replay_status: 'completed',
          last_event_id: object.lastEventId,
        });
      }
    }
  }

  deliver(object: SyncObject, event: SyncEvent): void {
    const type = eventType(object.kind, event);
    const lost = this.deps.faults.strike(
      'lose-push',
      (fault) =>
        fault.events.includes(type) &&
        (fault.object === undefined || new RegExp(fault.object).test(object.uniqueName)),
    );
    if (lost === undefined) {
      this.#pushEvent(object, event);
      return;
    }
    this.deps.stats.count(`lost ${type}`);
    if (!lost.replay) this.#session?.lost.add(event.sequence);
  }

  /** Tells a chat participant that somebody is typing. */
  notifyTyping(conversationSid: string, identity: string): void {
    this.#notify(
      { channel_sid: conversationSid, identity, typing_timeout: 5 },
      'twilio.ipmsg.typing_indicator',
    );
  }

  #replay(object: SyncObject, events: readonly SyncEvent[]): void {
    if (events.length === 0 || this.deps.faults.strike('no-replay') !== undefined) return;
    for (const event of events) {
      if (this.#session?.isLost(event.sequence) === true) continue;
      this.deps.stats.count('replayed events');
      this.#pushEvent(object, event);
    }
  }

  #pushEvent(object: SyncObject, event: SyncEvent): void {
    this.deps.stats.count(`pushed ${eventType(object.kind, event)}`);
    this.#notify(toEventPayload(object, event), `com.twilio.rtd.cds.${object.kind}`);
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
    const id = typeof header['id'] === 'string' ? header['id'] : '';
    const token = typeof header['token'] === 'string' ? header['token'] : '';
    this.deps.stats.count(`frame ${String(header['method'])}`);
    switch (header['method']) {
      case 'init':
        this.#init({ id }, token, header['continuation_token']);
        return;
      case 'update':
        this.#update({ id }, token);
        return;
      case 'message':
        this.#request({ id }, header['http_request'], payload);
        return;
      case 'reply':
      case 'close':
      case 'telemetry.v1':
        return;
      default:
        this.#reply({ id }, { code: 200, status: 'OK' });
    }
  }

  #init(frame: Replyable, token: string, continuation: unknown): void {
    const claims = this.#admit(frame, token, 'init');
    if (claims === undefined) return;
    this.#claims = claims;
    this.#watchToken(claims);
    const { session, reissued } = this.deps.sessions.resume(continuation, this.deps.store.sequence);
    this.#session = session;
    this.#send({
      method: 'reply',
      id: frame.id,
      status: { code: 200, status: 'OK' },
      capabilities: ['client_update', 'offline_storage'],
      continuation_token: session.token,
      continuation_token_status: reissued
        ? { reissued, reissue_reason: 'MISSING', reissue_message: 'Continuation token is not provided' }
        : { reissued },
      offline_storage: { ip_messaging: { storage_id: session.token } },
      init_registrations: [],
    });
    this.deps.log('twilio.client.connected', { identity: claims.identity, resumed: !reissued });
  }

  #update(frame: Replyable, token: string): void {
    const claims = this.#admit(frame, token, 'update');
    if (claims === undefined) return;
    this.#claims = claims;
    this.#watchToken(claims);
    this.#reply(frame, { code: 200, status: 'OK' });
  }

  /** Checks a token; a refusal is answered and the token's owner let go. */
  #admit(frame: Replyable, token: string, on: 'init' | 'update'): TokenClaims | undefined {
    const fault = this.deps.faults.strike('refuse-token', (rule) => rule.on === on || rule.on === 'both');
    const check = checkToken(token, this.deps.authority, this.deps.now());
    const sameUser = !check.ok || this.#claims === undefined || check.claims.identity === this.identity;
    if (fault === undefined && check.ok && sameUser) return check.claims;
    const refusal =
      fault !== undefined
        ? { status: fault.status, code: fault.code, description: 'Refused by a fault of the sandbox' }
        : check.ok
          ? { status: 401, code: 20101, description: 'Invalid Access Token: it names another identity' }
          : { status: 401, code: check.code, description: check.description };
    this.deps.stats.count(`refused token ${refusal.code}`);
    this.deps.log('twilio.token.refused', { on, code: refusal.code, reason: refusal.description });
    this.#reply(
      frame,
      {
        code: refusal.status,
        status: statusText(refusal.status),
        description: refusal.description,
        errorCode: refusal.code,
      },
      fault?.reconnectMinMs === undefined
        ? undefined
        : { backoff_policy: { reconnect_min_ms: fault.reconnectMinMs } },
    );
    return undefined;
  }

  #request(frame: Replyable, described: unknown, payload: Buffer): void {
    const request = toTunnelRequest(described, payload);
    if (request === undefined || this.#claims === undefined) {
      const reason =
        request === undefined ? 'http_request is malformed' : 'the connection has no valid token';
      this.#reply(frame, { code: 400, status: statusText(400), description: reason });
      return;
    }
    this.deps.handle(request, this).then(
      (result) => {
        if (result.kind === 'answer') this.#answer(frame, result.answer);
        else if (result.how === 'drop') this.reset();
      },
      (error: unknown) => {
        this.deps.log('twilio.request.failed', { path: request.path, error: String(error) });
        this.reset();
      },
    );
  }

  #answer(frame: Replyable, { status, body, headers }: Answer): void {
    this.#send(
      {
        method: 'reply',
        id: frame.id,
        status: { code: 200, status: 'OK' },
        http_status: { code: status, status: statusText(status) },
        http_headers: { 'content-type': 'application/json', ...headers },
      },
      body,
    );
  }

  #watchToken({ expiresAt, issuedAt }: TokenClaims): void {
    this.#clearTokenTimers();
    const now = this.deps.now();
    const lead = Math.min(this.deps.tokenWarningMs, (expiresAt - issuedAt) / 4);
    const at = (time: number, act: () => void): NodeJS.Timeout =>
      setTimeout(act, Math.min(MAX_TIMER_MS, Math.max(0, time - now))).unref();
    this.#tokenTimers = [
      at(expiresAt - lead, () => {
        this.#warnOfTokenEnd();
      }),
      at(expiresAt, () => {
        this.#close(410);
      }),
    ];
  }

  #clearTokenTimers(): void {
    for (const timer of this.#tokenTimers) clearTimeout(timer);
    this.#tokenTimers = [];
  }

  #warnOfTokenEnd(): void {
    this.#send({ method: 'client_update', id: frameId(), client_update_type: 'token_about_to_expire' });
  }

  #close(status: number, reconnectMinMs?: number): void {
    this.#send(
      { method: 'close', id: frameId(), status: { code: status, status: closeText(status) } },
      reconnectMinMs === undefined ? undefined : { backoff_policy: { reconnect_min_ms: reconnectMinMs } },
    );
  }

  #notify(payload: JsonObject, messageType = 'twilio.sync.event'): void {
    this.#send({ method: 'notification', id: frameId(), message_type: messageType }, payload);
  }

  #reply(frame: Replyable, status: JsonObject, payload?: JsonObject): void {
    this.#send({ method: 'reply', id: frame.id, status }, payload);
  }

  #send(header: Readonly<Record<string, unknown>>, payload?: unknown): void {
    if (this.#frozen || this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(encodeFrame(header, payload));
  }
}

function frameId(): string {
  return `TM${randomUUID()}`;
}

function statusText(status: number): string {
  return (STATUS_CODES[status] ?? 'Unknown').toUpperCase();
}

function closeText(status: number): string {
  return { 308: 'OFFLOAD', 410: 'TOKEN EXPIRED' }[status] ?? statusText(status);
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

function toTunnelRequest(described: unknown, payload: Buffer): TunnelRequest | undefined {
  if (typeof described !== 'object' || described === null) return undefined;
  const { path, method, params } = {
    path: undefined,
    method: undefined,
    params: undefined,
    ...described,
  } as Record<string, unknown>; // each member is checked below
  if (typeof path !== 'string' || typeof method !== 'string') return undefined;
  try {
    return {
      method,
      path: decodeURIComponent(path),
      segments: path.split('/').filter(Boolean).map(decodeURIComponent),
      params: decodeParams(params),
      body: payload.toString('utf8'),
    };
  } catch {
    // Malformed percent-encoding.
    return undefined;
  }
}

function decodeParams(params: unknown): Record<string, string> {
  if (typeof params !== 'object' || params === null) return {};
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const single: unknown = Array.isArray(value) ? value[0] : value;
      return [name, decodeURIComponent(String(single))];
    }),
  );
}
