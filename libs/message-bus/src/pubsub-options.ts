import { type Backoff } from './backoff.js';
import { type BusClock } from './clock.js';
import { type BusLogger } from './logger.js';
import { type BatchingOptions } from './publish-lane.js';

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
  /** Wait between repeated requests. Default 100 ms doubling to 2 s. */
  readonly retryBackoff?: Backoff;
  /** Redelivery of nacked messages, set on subscriptions that are made. Default 1 s to 60 s; Pub/Sub: 0 to 600 s. */
  readonly redelivery?: Backoff;
  /** Labels of topics and subscriptions that are made. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: silent. */
  readonly logger?: BusLogger;
  /** Default: the machine's. */
  readonly clock?: BusClock;
  /** Jitter, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}
