import { z } from 'zod';
import { ApiError } from '../api-error.js';
import { type Answer } from '../rest/request-gate.js';
import { type SyncObject, type SyncStore } from './sync-store.js';
import { pageItems } from './sync-paging.js';
import { toDescriptor, toItemsPage } from './sync-wire.js';

/** Largest page of items, as Sync's own limit. */
const MAX_PAGE = 100;

/** What the client asks for when it opens subscriptions. */
export const subscriptionsSchema = z.object({
  action: z.enum(['establish', 'cancel']),
  correlation_id: z.number(),
  requests: z.array(
    z.object({
      object_sid: z.string(),
      object_type: z.string(),
      last_event_id: z.number().default(0),
    }),
  ),
});

/** A parsed body of `POST /v4/Subscriptions`. */
export type SubscriptionsRequest = z.infer<typeof subscriptionsSchema>;

/** The reply to a subscription request. No TTL, so that no timer keeps a client's process alive. */
export const subscriptionsAccepted: Answer = {
  status: 202,
  body: { estimated_delivery_in_ms: 500, max_batch_size: 1_000, ttl_in_s: -1 },
};

/** Answers the GETs of Sync: objects, and the items of lists and maps. */
export function getSync(
  store: SyncStore,
  serviceSid: string,
  request: {
    readonly key: string;
    readonly items: boolean;
    readonly params: Readonly<Record<string, string>>;
  },
  mayRead: (uniqueName: string) => boolean,
): Answer {
  const object = store.find(request.key);
  if (object === undefined || !mayRead(object.uniqueName)) {
    throw new ApiError(404, 54300, 'Unique name not found');
  }
  const body = request.items
    ? itemsPage(object, request.params, serviceSid)
    : toDescriptor(object, serviceSid, request.params['Include'] === 'items');
  return { status: 200, body };
}

function itemsPage(
  object: SyncObject,
  params: Readonly<Record<string, string>>,
  serviceSid: string,
): unknown {
  const key = (text: string | undefined): string | number | undefined =>
    text === undefined || object.kind === 'map' ? text : Number(text);
  const page = pageItems(object.items, {
    only: key(params['Key'] ?? params['Index']),
    from: key(params['From']),
    order: params['Order'] === 'desc' ? 'desc' : 'asc',
    pageSize: Math.min(MAX_PAGE, Math.max(1, Number(params['PageSize'] ?? 50) || 50)),
  });
  return toItemsPage(object, page, serviceSid);
}
