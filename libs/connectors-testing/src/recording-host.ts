import { type ConnectorHost, type ConnectorState, type DeliveryReceipt } from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { type Clock, systemClock } from '@bitbrat/foundation';
import { MemoryCursors } from './memory-cursors.js';
import { RecordingLogger } from './recording-logger.js';

export interface RecordingHostOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default `internal.egress.v1.test`. */
  readonly egressTopic?: string;
  /** Where a connector that is made anew, as after a restart of the process, goes on. Default: new and empty. */
  readonly cursors?: MemoryCursors;
}

/**
 * The host of a connector under test: an in-memory bus that can be away or refuse, and a record of what the
 * connector told.
 */
export class RecordingHost implements ConnectorHost {
  /** Envelopes that the bus has acknowledged, in order. */
  readonly published: IngressEnvelope[] = [];
  /** Delivery receipts that the bus has acknowledged, in order. */
  readonly receipts: DeliveryReceipt[] = [];
  /** Every state that was reported, in order. */
  readonly states: ConnectorState[] = [];
  readonly logger = new RecordingLogger();
  readonly cursors: MemoryCursors;
  readonly clock: Clock;
  readonly egressTopic: string;
  #publishCalls = 0;
  #failures: Error[] = [];
  #held: (() => void)[] | undefined;
  #heldStates: (() => void)[] = [];

  constructor(options: RecordingHostOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.egressTopic = options.egressTopic ?? 'internal.egress.v1.test';
    this.cursors = options.cursors ?? new MemoryCursors();
  }

  /** Calls of `publish`, whatever became of them. */
  get publishCalls(): number {
    return this.#publishCalls;
  }

  /** Calls of `publish` and `receiptReceived` that wait for `releasePublishes`. */
  get heldPublishes(): number {
    return this.#held?.length ?? 0;
  }

  /** Publishes that will be refused. */
  get refusalsLeft(): number {
    return this.#failures.length;
  }

  /** The bus is away: from now on `publish`, `receiptReceived` and `stateChanged` wait. */
  holdPublishes(): void {
    this.#held ??= [];
  }

  /** The bus is back: what waited is acknowledged in the order of the calls. */
  releasePublishes(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const acknowledge of [...held, ...this.#heldStates.splice(0)]) acknowledge();
  }

  /** The next `count` publishes, of envelopes or receipts, reject with `error`. */
  failNextPublish(count = 1, error = new Error('the bus refuses the message')): void {
    this.#failures.push(...Array.from({ length: count }, () => error));
  }

  /** The strings among `secrets` that stand in what was logged, reported or published, and where. */
  findSecrets(secrets: readonly string[]): string[] {
    const places = {
      log: this.logger.entries.map((entry) => ({ ...entry, fields: toPlain(entry.fields) })),
      states: this.states,
      envelopes: this.published,
      receipts: this.receipts,
    };
    return Object.entries(places).flatMap(([place, content]) => {
      const text = JSON.stringify(content);
      return secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${place}`);
    });
  }

  // Fields rather than methods: the supervisor hands a spread copy of its host to the connector.
  readonly publish = (envelope: IngressEnvelope): Promise<void> => {
    this.#publishCalls += 1;
    return this.#hand(() => this.published.push(envelope));
  };

  readonly receiptReceived = (receipt: DeliveryReceipt): Promise<void> =>
    this.#hand(() => this.receipts.push(receipt));

  /** Kept at once, and acknowledged as a publish is. */
  readonly stateChanged = (state: ConnectorState): Promise<boolean> => {
    this.states.push({ ...state });
    if (this.#held === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#heldStates.push(() => {
        resolve(true);
      });
    });
  };

  #hand(keep: () => void): Promise<void> {
    const failure = this.#failures.shift();
    if (failure !== undefined) return Promise.reject(failure);
    const held = this.#held;
    if (held === undefined) {
      keep();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      held.push(() => {
        keep();
        resolve();
      });
    });
  }
}

/** What a logger may write of a value. Errors say nothing in JSON by themselves, and fields may refer to themselves. */
function toPlain(value: unknown, seen = new Set<object>()): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return '[seen]';
  seen.add(value);
  const { name, message, stack, cause } = value instanceof Error ? value : {};
  const entries = Object.entries({ name, message, stack, cause, ...value });
  return Object.fromEntries(entries.map(([key, item]) => [key, toPlain(item, seen)]));
}
