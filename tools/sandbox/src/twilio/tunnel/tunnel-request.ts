import { z } from 'zod';
import { type SubscriptionsRequest } from '../sync/sync-requests.js';

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

const single = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const requestSchema = z.object({
  method: z.string(),
  path: z.string(),
  // A repeated parameter is an array; no request that is answered here repeats one.
  params: z
    .record(z.string(), z.union([single, z.tuple([single], single).transform(([first]) => first)]))
    .default({}),
});

/** Reads the `http_request` of a frame. Returns undefined when it is malformed. */
export function toTunnelRequest(described: unknown, payload: Buffer): TunnelRequest | undefined {
  const parsed = requestSchema.safeParse(described);
  if (!parsed.success) return undefined;
  const { method, path, params } = parsed.data;
  try {
    return {
      method,
      path: decodeURIComponent(path),
      segments: path
        .split('/')
        .filter((part) => part !== '')
        .map(decodeURIComponent),
      params: Object.fromEntries(
        Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]),
      ),
      body: payload.toString('utf8'),
    };
  } catch {
    // Malformed percent-encoding.
    return undefined;
  }
}
