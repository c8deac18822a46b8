import { randomBytes } from 'node:crypto';
import { GatewaySession, type SessionIdentity } from './gateway-session.js';

/** Milliseconds after which the day's IDENTIFYs are given anew. */
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What the store goes by. */
export interface SessionStoreOptions {
  readonly sessionTtlMs: number;
  readonly sessionBufferSize: number;
  readonly sessionStartLimit: number;
  readonly identifyIntervalMs: number;
}

/** `session_start_limit` of `GET /gateway/bot`. */
export interface SessionStartLimit {
  readonly total: number;
  readonly remaining: number;
  /** Milliseconds. */
  readonly reset_after: number;
  readonly max_concurrency: number;
}

/** All gateway sessions, and how many more may be started today. */
export class SessionStore {
  readonly #sessions = new Map<string, GatewaySession>();
  #remaining: number;
  #resetAt: number;
  #lastStartAt = -Infinity;

  /** @param now milliseconds. */
  constructor(
    private readonly options: SessionStoreOptions,
    private readonly now: () => number,
  ) {
    this.#remaining = options.sessionStartLimit;
    this.#resetAt = now() + DAY_MS;
  }

  /** The sessions that can still be used, oldest first. */
  sessions(): readonly GatewaySession[] {
    for (const [id, session] of this.#sessions) {
      if (session.detachedForMs > this.options.sessionTtlMs) this.#sessions.delete(id);
    }
    return [...this.#sessions.values()];
  }

  /** What is left of today's IDENTIFYs. */
  startLimit(): SessionStartLimit {
    this.#renew();
    return {
      total: this.options.sessionStartLimit,
      remaining: this.#remaining,
      reset_after: Math.max(0, this.#resetAt - this.now()),
      max_concurrency: 1,
    };
  }

  /** Sets what is left of today's IDENTIFYs. */
  setRemaining(remaining: number): void {
    this.#remaining = remaining;
  }

  /** Takes one of today's IDENTIFYs: fine, too early after the last one, or none left. */
  takeStart(): 'ok' | 'too-early' | 'exhausted' {
    this.#renew();
    if (this.#remaining === 0) return 'exhausted';
    this.#remaining -= 1;
    const now = this.now();
    if (now - this.#lastStartAt < this.options.identifyIntervalMs) return 'too-early';
    this.#lastStartAt = now;
    return 'ok';
  }

  /** Starts a session. */
  create(identity: Omit<SessionIdentity, 'id'>): GatewaySession {
    const id = randomBytes(16).toString('hex');
    const session = new GatewaySession({ ...identity, id }, this.now, this.options.sessionBufferSize);
    this.#sessions.set(id, session);
    return session;
  }

  /** The session of an id, unless it has ended or been away for too long. */
  find(id: string): GatewaySession | undefined {
    return this.sessions().find(({ identity }) => identity.id === id);
  }

  /** Ends a session. */
  remove(session: GatewaySession): void {
    this.#sessions.delete(session.identity.id);
  }

  #renew(): void {
    if (this.now() < this.#resetAt) return;
    this.#remaining = this.options.sessionStartLimit;
    this.#resetAt = this.now() + DAY_MS;
  }
}
