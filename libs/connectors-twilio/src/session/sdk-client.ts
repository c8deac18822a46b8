import { type Clock, withTimeout } from '@bitbrat/foundation';
import { type Client, type ClientOptions } from '@twilio/conversations';
import { type RawData, type WebSocket } from 'ws';
import { propertyOf } from '../platform/property.js';
import { ToldWait } from '../platform/retry-after.js';

/** Milliseconds for the upgrade of one connection attempt: the SDK itself waits for ever on a peer that stays silent. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Milliseconds that the SDK gets to shut down. */
const GRACE_MS = 1_000;

/** Bytes of a frame: a page holds 100 messages of 32 KB at most (Conversations limits page). A larger one ends the connection. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** An SDK client whose sockets are ours to end. */
export interface SdkClient {
  readonly client: Client;
  /** How long the platform asks to wait, as told over its sockets. */
  readonly toldWait: ToldWait;
  /** Ends it in any state: sockets are cut, what is under way rejects. Resolves after 3 seconds at the latest, never rejects. */
  close(): Promise<void>;
}

/**
 * Makes a client of the Conversations SDK, which connects at once.
 *
 * The `ws` package is used on every Node version: with Node 22's own WebSocket the SDK never reconnects after one refused attempt. The SDK
 * looks for the class while it is constructed, so the global is ours for just that time.
 * @param uri WebSocket endpoint; undefined: the SDK's own
 * @param onBroken called with what the SDK threw at a frame. That connection ends, and the SDK makes the next one.
 */
export async function createSdkClient(
  token: string,
  uri: string | undefined,
  clock: Clock,
  onBroken: (error: unknown) => void,
): Promise<SdkClient> {
  const { Client: SdkConstructor, WebSocket: WsSocket } = await import('./sdk.js');
  const sockets = new Set<WebSocket>();
  const toldWait = new ToldWait(clock);
  class TrackedSocket extends WsSocket {
    constructor(url: string) {
      super(url, {
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MAX_FRAME_BYTES,
        perMessageDeflate: false,
      });
      sockets.add(this);
      // The SDK takes its listeners off before it closes a socket; that is an error event while the socket connects, which would end the process.
      this.on('error', () => undefined);
      this.once('close', () => sockets.delete(this));
      // Before the SDK's own listener: the wait is known when the request is rejected.
      this.on('message', (data) => {
        toldWait.hear(toBuffer(data));
      });
    }

    /** An exception of a listener would leave a socket that stays open, reads nothing and never closes. */
    override emit(...event: Parameters<WebSocket['emit']>): boolean {
      try {
        return super.emit(...event);
      } catch (error) {
        onBroken(error);
        this.terminate();
        return true;
      }
    }
  }
  // Without the deep clone the SDK leaves the clients that it makes in these options, and they must be closed with it.
  const options: ClientOptions = {
    disableDeepClone: true,
    ...(uri === undefined ? {} : { Twilsock: { uri } }),
  };
  const client = withGlobalWebSocket(TrackedSocket, () => new SdkConstructor(token, options));
  guardEmit(options.twilsockClient, (error) => {
    onBroken(error);
    for (const socket of sockets) socket.terminate();
  });
  return {
    client,
    toldWait,
    close: async () => {
      // Before the good-bye, because afterwards the SDK leaves each request without an answer to its time limit of 30 seconds.
      await settled(clock, cut(sockets));
      await settled(
        clock,
        client.shutdown().catch(() => undefined),
      );
      // The SDK may have opened another one meanwhile.
      await settled(clock, cut(sockets));
      client.removeAllListeners();
      clearSubscriptionTimer(options.syncClient);
    },
  };
}

/** Without a copy: the SDK has its sockets deliver an ArrayBuffer. */
function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/**
 * The SDK hands a frame on by an event of its Twilsock client, from a timer: what is thrown there would reach the process. There is no
 * public way to that event; where it is not found nothing happens.
 */
function guardEmit(emitter: unknown, onThrown: (error: unknown) => void): void {
  const emit = propertyOf(emitter, 'emit');
  if (typeof emitter !== 'object' || emitter === null || typeof emit !== 'function') return;
  const guarded = (...event: unknown[]): unknown => {
    try {
      return Reflect.apply(emit, emitter, event);
    } catch (error) {
      onThrown(error);
      return true;
    }
  };
  Reflect.set(emitter, 'emit', guarded);
}

async function cut(sockets: ReadonlySet<WebSocket>): Promise<void> {
  const closed = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  for (const socket of sockets) socket.terminate();
  await Promise.all(closed);
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
  const subscriptions = propertyOf(propertyOf(syncClient, 'services'), 'subscriptions');
  const timer = propertyOf(subscriptions, 'subscriptionTtlTimer');
  if (propertyOf(timer, 'unref') !== undefined) clearTimeout(timer as NodeJS.Timeout); // nothing else there has an unref
}
