import {
  type BackoffPolicy,
  type Clock,
  keepAliveClock,
  type Logger,
  silentLogger,
} from '@bitbrat/foundation';
import { DEFAULT_MAX_IN_FLIGHT } from '../bus-rules.js';
import { type BatchingOptions } from './publish/publish-lane.js';

/** Settings of the Pub/Sub bus. */
export interface PubSubBusOptions {
  /** Google Cloud project id. */
  readonly projectId: string;
  /** `host:port` of Google's emulator. No credentials are looked for and the connection is not encrypted. */
  readonly emulatorHost?: string;
  /** Host name of a regional endpoint of the service. Default: the global one. */
  readonly apiEndpoint?: string;
  /** Whether topics and subscriptions that are missing are made. Needs the role `roles/pubsub.editor`. */
  readonly createMissing: boolean;
  /** Publishes under way before further calls wait. Default 1,000. */
  readonly maxInFlight?: number;
  /** The same in bytes. Default 64 MiB. */
  readonly maxInFlightBytes?: number;
  /** Default: 100 messages or 1 ms. */
  readonly batching?: BatchingOptions;
  /** How long one request may take, in milliseconds, before it is repeated. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** Wait between repeated requests, and before a stream that ended is opened again. Default 100 ms doubling to 2 s. */
  readonly retryBackoff?: BackoffPolicy;
  /** Redelivery of nacked messages, set on subscriptions that are made. Default 1 s to 60 s; Pub/Sub: 0 to 600 s. */
  readonly redelivery?: BackoffPolicy;
  /** Labels of topics and subscriptions that are made. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Jitter, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** The options with every default filled in. */
export interface PubSubSettings extends Required<Omit<PubSubBusOptions, 'emulatorHost' | 'apiEndpoint'>> {
  readonly emulatorHost: string | undefined;
  readonly apiEndpoint: string | undefined;
  /** For each request. Repeating is done where order is kept, not by the library. */
  readonly callOptions: { timeout: number; retry: null };
}

export function toPubSubSettings(options: PubSubBusOptions): PubSubSettings {
  const requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
  return {
    projectId: options.projectId,
    emulatorHost: options.emulatorHost,
    apiEndpoint: options.apiEndpoint,
    createMissing: options.createMissing,
    maxInFlight: options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
    maxInFlightBytes: options.maxInFlightBytes ?? 64 * 1024 * 1024,
    batching: options.batching ?? { maxMessages: 100, maxMilliseconds: 1 },
    requestTimeoutMs,
    retryBackoff: options.retryBackoff ?? { baseMs: 100, maxMs: 2000 },
    redelivery: options.redelivery ?? { baseMs: 1000, maxMs: 60_000 },
    labels: options.labels ?? {},
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? keepAliveClock,
    random: options.random ?? Math.random,
    callOptions: { timeout: requestTimeoutMs, retry: null },
  };
}
