import { type ClientConfig, type Duration, type PubSub, type v1 } from '@google-cloud/pubsub';
import { type PubSubSettings } from './pubsub-options.js';

/** What we use of the library. */
export interface PubSubClient {
  /** For subscribing. */
  readonly pubsub: PubSub;
  readonly publisher: v1.PublisherClient;
  readonly subscriber: v1.SubscriberClient;
  /** The library takes durations of its own class only. */
  duration(ms: number): Duration;
  close(): Promise<void>;
}

type ServiceOptions = NonNullable<ConstructorParameters<typeof v1.PublisherClient>[0]>;

/** Loads the library, which takes some 100 ms and 50 MB, and makes its clients. Connects when first used. */
export async function openPubSubClient(options: PubSubSettings): Promise<PubSubClient> {
  const library = await import('./pubsub-library.js');
  const pubsub = new library.PubSub(clientConfig(options));
  // Publishing past the library's own queue: that one gives up after 60 s and lets later messages overtake.
  const config = (await pubsub.getClientConfig()) as ServiceOptions; // the types differ in `port` only, a number here
  const publisher = new library.v1.PublisherClient(config);
  const subscriber = new library.v1.SubscriberClient(config);
  return {
    pubsub,
    publisher,
    subscriber,
    duration: (ms) => library.Duration.from({ millis: ms }),
    close: async () => {
      await Promise.allSettled([publisher.close(), subscriber.close(), pubsub.close()]);
    },
  };
}

/** gRPC's own bound is 2 minutes: too long to stay away from a bus that is back. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2000 };

/** A connection that died without a word is noticed after 70 s; the library's 5 minutes are too long for a chat. */
const KEEPALIVE = { 'grpc.keepalive_time_ms': 60_000, 'grpc.keepalive_timeout_ms': 10_000 };

function clientConfig({ projectId, emulatorHost, apiEndpoint }: PubSubSettings): ClientConfig {
  if (emulatorHost === undefined) {
    return { ...RECONNECT, ...KEEPALIVE, projectId, ...(apiEndpoint === undefined ? {} : { apiEndpoint }) };
  }
  return {
    ...RECONNECT,
    projectId,
    apiEndpoint: emulatorHost,
    emulatorMode: true,
    // Known beforehand, so that nobody looks for credentials or a metadata server to learn it.
    clientOptions: { universeDomain: 'googleapis.com' },
  };
}
