import { type Client, type ClientOptions } from '@twilio/conversations';
import { type Clock, withTimeout } from '@bitbrat/connectors-core';
import { type WebSocket } from 'ws';

/** Milliseconds for the upgrade of one connection attempt: the SDK itself waits for ever on a peer that stays silent. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Milliseconds that the SDK gets to say good-bye before its sockets are cut. */
const GRACE_MS = 1_000;

/** An SDK client whose sockets are ours to end. */
export interface SdkClient {
  readonly client: Client;
  /**
   * Shuts it down whatever state it is in; resolves after 2 seconds at the latest, without sockets; never rejects.
   * @param how `isDead`: the other side does not answer, so there is nobody to say good-bye to
   */
  close(how: { readonly isDead: boolean }): Promise<void>;
}

/**
 * Makes a client of the Conversations SDK, which connects at once.
 *
 * The `ws` package is used on every Node version: with Node 22's own WebSocket the SDK never reconnects after one refused attempt. The SDK
 * looks for the class while it is constructed, so the global is ours for just that time.
 * @param uri WebSocket endpoint; undefined: the SDK's own
 */
export async function createSdkClient(
  token: string,
  uri: string | undefined,
  clock: Clock,
): Promise<SdkClient> {
  const { Client: SdkConstructor, WebSocket: WsSocket } = await import('./sdk.js');
  const sockets = new Set<WebSocket>();
  class TrackedSocket extends WsSocket {
    constructor(url: string) {
      super(url, { handshakeTimeout: HANDSHAKE_TIMEOUT_MS, perMessageDeflate: false });
      sockets.add(this);
      // The SDK takes its listeners off before it closes a socket; that is an error event while the socket connects, which would end the process.
      this.on('error', () => undefined);
      this.once('close', () => sockets.delete(this));
    }
  }
  // Without the deep clone the SDK leaves the clients that it makes in these options, and they must be closed with it.
  const options: ClientOptions = {
    disableDeepClone: true,
    ...(uri === undefined ? {} : { Twilsock: { uri } }),
  };
  const client = withGlobalWebSocket(TrackedSocket, () => new SdkConstructor(token, options));
  return {
    client,
    close: async ({ isDead }) => {
      const cut = (): void => {
        for (const socket of sockets) socket.terminate();
      };
      // Otherwise each request that has no answer would keep its timer for 30 seconds.
      if (isDead) cut();
      const shutdown = client.shutdown().catch(() => undefined);
      await settled(clock, shutdown);
      cut();
      // The shutdown waits for the initialisation, which fails as soon as the socket is cut.
      await settled(clock, shutdown);
      client.removeAllListeners();
      clearSubscriptionTimer(options.syncClient);
    },
  };
}

async function settled(clock: Clock, work: Promise<unknown>): Promise<void> {
  await withTimeout(clock, work, GRACE_MS, () => new Error('time is up')).catch(() => undefined);
}

function withGlobalWebSocket<T>(socketClass: unknown, make: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  Object.defineProperty(globalThis, 'WebSocket', { value: socketClass, configurable: true, writable: true });
  try {
    return make();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
    else Object.defineProperty(globalThis, 'WebSocket', before);
  }
}

/**
 * The SDK forgets this timer when it is shut down. The platform sets it to a day, and until it fires it keeps the process alive and the whole
 * client, with every message that it has seen, in memory. There is no public way to it; where it is not found nothing happens.
 */
function clearSubscriptionTimer(syncClient: unknown): void {
  const subscriptions = property(property(syncClient, 'services'), 'subscriptions');
  const timer = property(subscriptions, 'subscriptionTtlTimer');
  if (timer instanceof Object && 'unref' in timer) clearTimeout(timer as NodeJS.Timeout); // only timers have unref there
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
