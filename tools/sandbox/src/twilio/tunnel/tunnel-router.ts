import { ApiError } from '../api-error.js';
import { type Answer } from '../rest/request-gate.js';
import { type Call, parseBody, type Route, type TunnelContext } from './tunnel-call.js';
import { conversationRoutes } from './tunnel-conversation-routes.js';
import { type TunnelPeer, type TunnelRequest } from './tunnel-request.js';
import { syncRoutes } from './tunnel-sync-routes.js';
import { userRoutes } from './tunnel-user-routes.js';

const routes: readonly Route[] = [...userRoutes(), ...conversationRoutes(), ...syncRoutes()];

/** The route of a tunnelled request: its name, and what executes it. Unknown paths are answered 404. */
export function routeTunnelRequest(
  context: TunnelContext,
  request: TunnelRequest,
  peer: TunnelPeer,
): { readonly operation: string; readonly execute: () => Answer } {
  for (const route of routes) {
    const args = route.method === request.method ? matchPath(route.pattern, request.segments) : undefined;
    if (args === undefined) continue;
    const call: Call = {
      context,
      peer,
      request,
      arg: (name) => args.get(name) ?? '',
      body: (schema) => parseBody(schema, request.body),
    };
    return { operation: route.operation, execute: () => route.handle(call) };
  }
  return {
    operation: 'unknown',
    execute: () => {
      throw new ApiError(404, 20404, `The sandbox has no ${request.method} ${request.path}`);
    },
  };
}

/** Matches path parts against a pattern like `a/:name/b`. Returns the named parts, or undefined. */
export function matchPath(
  pattern: string,
  segments: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const parts = pattern.split('/');
  if (parts.length !== segments.length) return undefined;
  const args = new Map<string, string>();
  for (const [position, part] of parts.entries()) {
    const segment = segments[position] ?? '';
    if (part.startsWith(':')) args.set(part.slice(1), segment);
    else if (part !== segment) return undefined;
  }
  return args;
}
