import { type Duplex } from 'node:stream';
import { type WebSocket } from 'ws';
import { type FaultRules } from '../../fault-rules.js';
import { type JsonObject } from '../../json.js';
import { type RawBytes, sendRaw } from '../../send-raw.js';
import { type Wire } from '../../wire.js';
import { type DiscordModel } from '../model/discord-model.js';
import { type ArmedFault } from '../fault-schema.js';
import { toGuildCreate } from './gateway-events.js';
import {
  closeCodes,
  type Identify,
  opcodes,
  readClientFrame,
  type Resume,
  terminalCloseCodes,
} from './gateway-frames.js';
import { belongsToShard, type GatewaySession, type SessionSink } from './gateway-session.js';
import { checkIntents, type PrivilegedIntent } from './intents.js';
import { toMembersChunk, toReady } from './gateway-payloads.js';
import { type SessionStore } from './session-store.js';

/** What a gateway connection works on. */
export interface GatewayContext {
  readonly model: DiscordModel;
  readonly sessions: SessionStore;
  readonly faults: FaultRules<ArmedFault>;
  readonly heartbeatIntervalMs: number;
  readonly privilegedIntents: readonly PrivilegedIntent[];
  /** Milliseconds. */
  readonly now: () => number;
  /** `ws://HOST:PORT` */
  gatewayUrl(): string;
  isToken(token: string): boolean;
  /** Ends all sessions and makes the token worthless, as Discord does after one IDENTIFY too many. */
  resetToken(): void;
  readonly wire: Wire;
  count(name: string): void;
  /** Called after each change of a connection or session. */
  changed(): void;
}

/** Frames per minute that a client may send, and the minute ("Gateway: Rate Limiting"). */
const FRAME_LIMIT = 120;
const FRAME_WINDOW_MS = 60_000;

/** One client's gateway socket, from HELLO to its end. */
export class GatewayConnection implements SessionSink {
  #session: GatewaySession | undefined;
  #frameTimes: number[] = [];
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #closedByUs = false;
  #frozen = false;

  /** @param transport the TCP socket under the WebSocket */
  constructor(
    private readonly websocket: WebSocket,
    private readonly transport: Duplex,
    private readonly context: GatewayContext,
    onClose: () => void,
  ) {
    websocket.on('error', () => undefined);
    websocket.on('message', (data: Buffer) => {
      this.#receive(data.toString('utf8'));
    });
    websocket.on('close', (code) => {
      clearTimeout(this.#heartbeatTimer);
      this.#leaveSession(!this.#closedByUs && (code === 1000 || code === 1001));
      onClose();
      context.changed();
    });
  }

  /** Whether it neither speaks nor listens any more. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Says HELLO, unless a fault forbids it. */
  open(): void {
    if (this.context.faults.strike('no-hello') !== undefined) {
      this.#frozen = true;
      return;
    }
    this.#write(opcodes.hello, { heartbeat_interval: this.context.heartbeatIntervalMs });
    this.#awaitHeartbeat();
  }

  send(frame: string): void {
    if (!this.#frozen && this.websocket.readyState === this.websocket.OPEN) this.websocket.send(frame);
  }

  /** Sends bytes, whatever they mean. */
  sendRaw(bytes: RawBytes): void {
    sendRaw(this.websocket, this.transport, bytes);
  }

  /** Ends the socket without a close frame. The session stays. */
  reset(): void {
    this.#closedByUs = true;
    this.#leaveSession(false);
    this.websocket.terminate();
  }

  /** Ends the socket with a close code. The session stays, unless the code says that it cannot be resumed. */
  close(code: number, reason = ''): void {
    this.#closedByUs = true;
    this.context.count(`closed ${code}`);
    this.#leaveSession(terminalCloseCodes.has(code));
    this.websocket.close(code, reason);
  }

  /** Stops speaking and listening; the socket stays open. */
  freeze(): void {
    this.#frozen = true;
    clearTimeout(this.#heartbeatTimer);
  }

  /** Asks the client to reconnect: op 7. */
  askToReconnect(): void {
    this.#write(opcodes.reconnect, null);
  }

  /** Says op 9; a session that is not resumable ends. */
  invalidateSession(resumable: boolean): void {
    this.#leaveSession(!resumable);
    this.context.count(`invalid session, ${resumable ? '' : 'not '}resumable`);
    this.#write(opcodes.invalidSession, resumable);
  }

  #receive(text: string): void {
    if (this.#frozen || this.#closedByUs) return;
    if (this.#isTooFast()) {
      this.close(closeCodes.rateLimited, 'Rate limited');
      return;
    }
    const frame = readClientFrame(text);
    const peer = { send: (bytes: Buffer) => this.websocket.send(bytes), reset: () => this.reset() };
    if (this.context.wire.strikesInside(`gateway ${frame.kind}`, peer)) return;
    switch (frame.kind) {
      case 'heartbeat':
        this.#acknowledgeHeartbeat();
        break;
      case 'identify':
        this.context.count('identify');
        this.#identify(frame.data);
        break;
      case 'resume':
        this.context.count('resume');
        this.#resume(frame.data);
        break;
      case 'members':
        this.#whenReady((session) => {
          this.#sendMembers(session, frame.data);
        });
        break;
      case 'ignored':
        this.#whenReady(() => undefined);
        break;
      case 'fault':
        this.close(frame.closeCode, frame.reason);
        break;
    }
    this.context.changed();
  }

  #isTooFast(): boolean {
    const now = this.context.now();
    this.#frameTimes = this.#frameTimes.filter((time) => time > now - FRAME_WINDOW_MS);
    this.#frameTimes.push(now);
    return this.#frameTimes.length > FRAME_LIMIT;
  }

  #acknowledgeHeartbeat(): void {
    this.#awaitHeartbeat();
    this.context.count('heartbeat');
    if (this.context.faults.strike('no-heartbeat-ack') === undefined) this.#write(opcodes.heartbeatAck);
  }

  #awaitHeartbeat(): void {
    clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = setTimeout(() => {
      this.close(closeCodes.sessionTimedOut, 'Session timed out');
    }, this.context.heartbeatIntervalMs * 2);
  }

  #identify({ token, intents, shard = [0, 1] }: Identify): void {
    const { context } = this;
    if (this.#session !== undefined) {
      this.close(closeCodes.alreadyAuthenticated, 'Already authenticated');
      return;
    }
    const bare = stripBot(token);
    if (!context.isToken(bare)) {
      this.close(closeCodes.authenticationFailed, 'Authentication failed');
      return;
    }
    if (this.#isRefused('identify')) return;
    const verdict = checkIntents(intents, context.privilegedIntents);
    if (verdict !== 'ok') {
      this.close(verdict, verdict === 4013 ? 'Invalid intent(s)' : 'Disallowed intent(s)');
      return;
    }
    if (shard[1] < 1 || shard[0] < 0 || shard[0] >= shard[1]) {
      this.close(closeCodes.invalidShard, 'Invalid shard');
      return;
    }
    const start = context.sessions.takeStart();
    if (start === 'exhausted') context.resetToken();
    else if (start === 'too-early') this.invalidateSession(false);
    else this.#begin(context.sessions.create({ token: bare, intents, shard }));
  }

  #begin(session: GatewaySession): void {
    const { model } = this.context;
    this.#session = session;
    session.attach(this);
    const guilds = model.guilds().filter(({ id }) => belongsToShard(id, session.identity.shard));
    const resumeUrl = this.context.faults.strike('resume-url')?.url ?? this.context.gatewayUrl();
    session.dispatch('READY', toReady(session.identity, guilds, this.context, resumeUrl));
    const drop = this.context.faults.strike('drop-after-ready');
    if (drop !== undefined) {
      if (drop.loseSession) this.context.sessions.remove(session);
      this.close(drop.closeCode, 'Caused by a fault of the sandbox');
      return;
    }
    for (const guild of guilds) {
      const event = isOut(this.context, guild.id) ? undefined : toGuildCreate(model, guild.id);
      if (event !== undefined) session.offer(event);
    }
  }

  #resume({ token, session_id: id, seq }: Resume): void {
    if (this.#session !== undefined) {
      this.close(closeCodes.alreadyAuthenticated, 'Already authenticated');
      return;
    }
    if (!this.context.isToken(stripBot(token))) {
      this.close(closeCodes.authenticationFailed, 'Authentication failed');
      return;
    }
    if (this.#isRefused('resume')) return;
    const session = this.context.sessions.find(id);
    const missed = session?.replay(seq);
    if (session === undefined || missed === undefined) {
      if (session !== undefined) this.context.sessions.remove(session);
      this.invalidateSession(false);
      return;
    }
    if (seq > session.sequence) {
      this.close(closeCodes.invalidSequence, 'Invalid seq');
      return;
    }
    this.#session = session;
    session.attach(this);
    for (const frame of missed) this.send(frame);
    session.dispatch('RESUMED', { _trace: [] });
  }

  #isRefused(request: 'identify' | 'resume'): boolean {
    const fault = this.context.faults.strike('refuse-session', ({ on }) => on === 'both' || on === request);
    if (fault === undefined) return false;
    if (fault.how === 'close') this.close(fault.closeCode, 'Caused by a fault of the sandbox');
    else this.invalidateSession(fault.resumable);
    return true;
  }

  #whenReady(act: (session: GatewaySession) => void): void {
    if (this.#session === undefined) this.close(closeCodes.notAuthenticated, 'Not authenticated');
    else act(this.#session);
  }

  #sendMembers(session: GatewaySession, data: unknown): void {
    const chunk = toMembersChunk(data, this.context.model);
    if (chunk === undefined) this.close(closeCodes.decodeError, 'Error while decoding payload');
    else session.dispatch('GUILD_MEMBERS_CHUNK', chunk);
  }

  #leaveSession(forGood: boolean): void {
    this.#session?.detach(this);
    if (forGood && this.#session !== undefined) this.context.sessions.remove(this.#session);
    this.#session = undefined;
  }

  #write(op: number, d: JsonObject | boolean | null = null): void {
    this.send(JSON.stringify({ t: null, s: null, op, d }));
  }
}

/** Whether a fault keeps a guild away from the bot. */
export function isOut({ faults }: Pick<GatewayContext, 'faults'>, guildId: string | undefined): boolean {
  return faults
    .list()
    .some(
      ({ fault }) =>
        fault.kind === 'guild-outage' && (fault.guildId === undefined || fault.guildId === guildId),
    );
}

/** Some clients send the token as in the REST header. */
function stripBot(token: string): string {
  return token.startsWith('Bot ') ? token.slice('Bot '.length) : token;
}
