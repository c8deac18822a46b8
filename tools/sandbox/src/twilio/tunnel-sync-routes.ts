import { canReadObject } from './access.js';
import { type Answer } from './request-gate.js';
import { getSync, subscriptionsAccepted, subscriptionsSchema } from './sync-requests.js';
import { type Call, type Route } from './tunnel-call.js';

/** Sync: objects, their items, subscriptions. */
export function syncRoutes(): readonly Route[] {
  return [
    ...(['Documents', 'Lists', 'Maps'] as const).flatMap((collection): Route[] => {
      const operation = `getSync${collection.slice(0, -1)}`;
      const sync =
        (items: boolean) =>
        (call: Call): Answer =>
          readSync(call, items);
      return [
        { method: 'GET', pattern: `v3/${collection}/:key`, operation, handle: sync(false) },
        {
          method: 'GET',
          pattern: `v3/Services/:service/${collection}/:key/Items`,
          operation: `${operation}Items`,
          handle: sync(true),
        },
      ];
    }),
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

function readSync({ context, peer, request, arg }: Call, items: boolean): Answer {
  return getSync(
    context.store,
    context.serviceSid,
    { key: arg('key'), items, params: request.params },
    (name) => canReadObject(context.model, context.projection, peer.identity, name),
  );
}
