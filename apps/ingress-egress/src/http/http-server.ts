import {
  type Clock,
  type ConnectorManager,
  type Logger,
  type WebhookResponse,
} from '@bitbrat/connectors-core';
import { type MessageBus } from '@bitbrat/message-bus';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import { type DeadLetterDesk } from '../dead-letters/dead-letter-desk.js';
import { addDeadLetterRoutes } from '../dead-letters/dead-letter-routes.js';
import { mayDebug } from './debug-access.js';
import { checkReadiness } from './readiness.js';

/** The id of a dead letter holds a topic's name, 255 characters at the most, and an id of the bus. */
const MAX_PARAM_LENGTH = 600;

/** Far above any webhook of a platform; what is larger is refused with 413 before it is read. */
const MAX_BODY_BYTES = 1_048_576;

export interface HttpServices {
  readonly bus: MessageBus;
  readonly manager: ConnectorManager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly desk: DeadLetterDesk;
  /** Opens `/_debug` to others than localhost. */
  readonly debugToken: string | undefined;
}

export interface HttpServer {
  /** Resolves with the port. @throws Error that names the cure where the port is taken */
  listen(host: string, port: number): Promise<number>;
  /** From now on not ready, and webhooks are refused, so that the platform comes again elsewhere or later. */
  drain(): void;
  close(): Promise<void>;
}

/** Probes, snapshots and webhooks. */
export function createHttpServer(services: HttpServices): HttpServer {
  const { bus, clock, logger, manager } = services;
  const startedAt = clock.now();
  let draining = false;
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  });
  server.removeAllContentTypeParsers();
  // Signatures are made over the bytes, so nobody may parse them before the connector has seen them.
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });

  const mayAccess = ({ headers, socket }: FastifyRequest): boolean =>
    mayDebug({ remoteAddress: socket.remoteAddress, headers, token: services.debugToken });

  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/healthz', () => ({
    status: 'ok',
    uptimeSeconds: Math.floor((clock.now() - startedAt) / 1_000),
    connectors: manager.getStates(),
  }));
  const replyReadiness = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const readiness = await checkReadiness(bus, manager, draining);
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  };
  server.get('/readyz', replyReadiness);
  // Google's front end keeps some public paths that end in z for itself.
  server.get('/health/ready', replyReadiness);
  server.get<{ Params: { connector: string } }>('/_debug/:connector', (request, reply) => {
    if (!mayAccess(request)) return reply.code(404).send({ error: 'not found' });
    const snapshot = manager.getSnapshot(request.params.connector);
    return snapshot === undefined
      ? reply.code(404).send({ error: 'there is no such connector', connectors: manager.names })
      : reply.send(snapshot);
  });
  addDeadLetterRoutes(server, { desk: services.desk, mayAccess });
  server.all<{ Params: { connector: string } }>('/webhooks/:connector', async (request, reply) => {
    const receiver = manager.webhookReceiver(request.params.connector);
    if (receiver === undefined) return reply.code(404).send({ error: 'no connector takes webhooks here' });
    if (draining) return reply.code(503).header('retry-after', '5').send({ error: 'stopping' });
    const headers = Object.entries(request.headers).map(
      ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value] as const,
    );
    const response = await receiver.handleWebhook({
      method: request.method,
      path: request.raw.url ?? '/',
      headers: Object.fromEntries(headers),
      rawBody: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    });
    return sendWebhookResponse(reply, response);
  });
  server.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500)
      logger.error('http.failed', { path: request.url.split('?')[0], reason: error.message });
    void reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });

  return {
    listen: async (host, port) => {
      try {
        await server.listen({ host, port });
      } catch (error) {
        if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE') {
          throw new Error(`port ${port} is in use: stop what uses it or set PORT to another one`, {
            cause: error,
          });
        }
        throw error;
      }
      const address = server.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    drain: () => {
      draining = true;
    },
    close: () => server.close(),
  };
}

function sendWebhookResponse(reply: FastifyReply, response: WebhookResponse): FastifyReply {
  reply.code(response.status);
  if (response.contentType !== undefined) reply.header('content-type', response.contentType);
  return reply.send(response.body ?? '');
}
