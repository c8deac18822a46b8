import { canReadObject } from '../rest/access.js';
import { type Answer } from '../rest/request-gate.js';
import { getSync, subscriptionsAccepted, subscriptionsSchema } from '../sync/sync-requests.js';
import { type Call, type Route } from './tunnel-call.js';

const SERVICE = 'v3/Services/:service';

/** Sync: objects, their items, subscriptions. */
export function syncRoutes(): readonly Route[] {
  return [
    { method: 'GET', pattern: 'v3/Documents/:key', operation: 'getSyncDocument', handle: readObject },
    { method: 'GET', pattern: 'v3/Lists/:key', operation: 'getSyncList', handle: readObject },
    { method: 'GET', pattern: 'v3/Maps/:key', operation: 'getSyncMap', handle: readObject },
    {
      method: 'GET',
      pattern: `${SERVICE}/Lists/:key/Items`,
      operation: 'getSyncListItems',
      handle: readItems,
    },
    { method: 'GET', pattern: `${SERVICE}/Maps/:key/Items`, operation: 'getSyncMapItems', handle: readItems },
    {
      method: 'POST',
      pattern: 'v4/Subscriptions',
      operation: 'subscribe',
      handle: ({ context, peer, body }) => {
        peer.subscribe(body(subscriptionsSchema), (name) =>
          canReadObject(context.model, context.projection, peer.identity, name),
        );
        return subscriptionsAccepted;
      },
    },
  ];
}

function readObject(call: Call): Answer {
  return read(call, false);
}

function readItems(call: Call): Answer {
  return read(call, true);
}

function read({ context, peer, request, arg }: Call, items: boolean): Answer {
  return getSync(
    context.store,
    context.serviceSid,
    { key: arg('key'), items, params: request.params },
    (name) => canReadObject(context.model, context.projection, peer.identity, name),
  );
}
