import { type JsonObject } from '../../json.js';
import { type GatewayEvent } from './gateway-events.js';
import { intents } from './intents.js';

/** Where a session's frames go while it has a socket. */
export interface SessionSink {
  send(frame: string): void;
}

/** Who a session belongs to and what it asked for. */
export interface SessionIdentity {
  readonly id: string;
  readonly token: string;
  readonly intents: number;
  /** Shard number and number of shards. */
  readonly shard: readonly [number, number];
}

interface BufferedFrame {
  readonly sequence: number;
  readonly frame: string;
}

/** One gateway session: it numbers its events and keeps them for RESUME, with or without a socket. */
export class GatewaySession {
  readonly #buffer: BufferedFrame[] = [];
  #sequence = 0;
  #sink: SessionSink | undefined;
  #detachedAt: number | undefined;

  /** @param now milliseconds. @param bufferSize events that are kept. */
  constructor(
    readonly identity: SessionIdentity,
    private readonly now: () => number,
    private readonly bufferSize: number,
  ) {}

  /** The number of the last event; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Whether it has a socket. */
  get attached(): boolean {
    return this.#sink !== undefined;
  }

  /** Milliseconds since it lost its socket; 0 while it has one. */
  get detachedForMs(): number {
    return this.#detachedAt === undefined ? 0 : this.now() - this.#detachedAt;
  }

  /** Sends its frames to `sink` from now on. */
  attach(sink: SessionSink): void {
    this.#sink = sink;
    this.#detachedAt = undefined;
  }

  /** Keeps its frames to itself, if `sink` is where they go. */
  detach(sink: SessionSink): void {
    if (this.#sink !== sink) return;
    this.#sink = undefined;
    this.#detachedAt = this.now();
  }

  /** Numbers an event, keeps it, and sends it when there is a socket. */
  dispatch(type: string, data: JsonObject): void {
    this.#sequence += 1;
    const frame = JSON.stringify({ t: type, s: this.#sequence, op: 0, d: data });
    this.#buffer.push({ sequence: this.#sequence, frame });
    if (this.#buffer.length > this.bufferSize) this.#buffer.shift();
    this.#sink?.send(frame);
  }

  /** Dispatches an event if the session asked for its kind and its shard gets it; without content where it must. */
  offer(event: GatewayEvent): void {
    const { intents: wanted, shard } = this.identity;
    if ((wanted & event.intent) === 0 || !belongsToShard(event.guildId, shard)) return;
    this.dispatch(event.type, event.data((wanted & intents.MESSAGE_CONTENT) !== 0));
  }

  /** The frames after `sequence`, or undefined when some of them are gone. */
  replay(sequence: number): readonly string[] | undefined {
    const oldest = this.#buffer[0]?.sequence ?? this.#sequence + 1;
    if (sequence + 1 < oldest) return undefined;
    return this.#buffer.filter((kept) => kept.sequence > sequence).map(({ frame }) => frame);
  }
}

/** Whether a shard gets a guild's events ("Gateway: Sharding"); what belongs to no guild goes to shard 0. */
export function belongsToShard(
  guildId: string | undefined,
  [shard, shards]: readonly [number, number],
): boolean {
  return guildId === undefined ? shard === 0 : Number((BigInt(guildId) >> 22n) % BigInt(shards)) === shard;
}
