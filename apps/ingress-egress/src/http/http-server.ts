import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type ConnectorManager, type WebhookResponse } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type MessageBus } from '@bitbrat/message-bus';
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import { type DeadLetterDesk } from '../dead-letters/dead-letter-desk.js';
import { addDeadLetterRoutes } from '../dead-letters/dead-letter-routes.js';
import { BodyReader, BodyRefusedError } from './body-reader.js';
import { ConnectionGuard } from './connection-guard.js';
import { isLoopback, mayDebug } from './debug-access.js';
import { HTTP_LIMITS, type HttpLimits } from './limits.js';
import { checkReadiness, type Readiness, type TransportFacts } from './readiness.js';

/** The id of a dead letter holds a topic's name, 255 characters at the most, and an id of the bus. */
const MAX_PARAM_LENGTH = 600;

const WELL: TransportFacts = {
  busFault: undefined,
  storeFault: undefined,
  ingressSubscriptions: 'unknown',
};

export interface HttpServices {
  readonly bus: MessageBus;
  readonly manager: ConnectorManager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly desk: DeadLetterDesk;
  /** Default: all is well. */
  readonly facts?: TransportFacts;
  /** Opens `/_debug`. Without it `/_debug` is there only where the server listens on loopback. */
  readonly debugToken: string | undefined;
  /** Lines of the log that could not be written; default: none. */
  readonly droppedLogLines?: () => number;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /** Resolves with the port. @throws Error that names the cure where the address cannot be had */
  listen(host: string, port: number): Promise<number>;
  /** Whether it listens on this machine's loopback addresses alone. */
  readonly isLoopbackOnly: boolean;
  /** From now on not ready, and webhooks are refused, so that the platform comes again elsewhere or later. */
  drain(): void;
  close(): Promise<void>;
}

/** Probes, snapshots and webhooks. */
export function createHttpServer(services: HttpServices): HttpServer {
  const { bus, clock, droppedLogLines, logger, manager } = services;
  const limits = { ...HTTP_LIMITS, ...services.limits };
  const facts = services.facts ?? WELL;
  const startedAt = clock.now();
  let draining = false;
  let listening: Promise<unknown> | undefined;
  let isLoopbackOnly = false;
  const server = fastify({
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: limits.headerBytes,
    },
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  });
  const guard = new ConnectionGuard(server.server, limits, clock, logger);
  server.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!(Number(request.headers['content-length']) > limits.bodyBytes)) response.writeContinue();
    server.server.emit('request', request, response);
  });

  const bodies = new BodyReader(limits);
  /** Settle when the answer to a request has left. */
  const responses = new WeakMap<IncomingMessage, Promise<void>>();
  server.removeAllContentTypeParsers();
  // Signatures are made over the bytes, so nobody may parse them before the connector has seen them.
  server.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) =>
    bodies.read(payload, responses.get(request.raw) ?? Promise.resolve()),
  );

  const mayAccess = ({ headers }: FastifyRequest): boolean =>
    mayDebug({ headers, token: services.debugToken, isLoopbackOnly });

  // Before the body is read.
  server.addHook('onRequest', async (request, reply) => {
    const closed = new Promise<void>((resolve) => reply.raw.once('close', resolve));
    responses.set(request.raw, closed);
    if (request.is404) return reply.code(404).send(NOT_FOUND);
    if (request.routeOptions.url?.startsWith('/_debug/') === true && !mayAccess(request)) {
      return reply.code(404).send(NOT_FOUND);
    }
    return undefined;
  });
  server.addHook('onSend', (request, reply, _payload, done) => {
    if (!request.raw.complete) closeAfter(request.raw, reply, limits.lingerMs);
    done();
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send(NOT_FOUND));

  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/healthz', () => ({
    status: 'ok',
    uptimeSeconds: Math.floor((clock.now() - startedAt) / 1_000),
    store: facts.storeFault ?? 'ok',
    ingressSubscriptions: facts.ingressSubscriptions,
    connectors: manager.getStates(),
    log: { droppedLines: droppedLogLines?.() ?? 0 },
  }));
  let checking: Promise<Readiness> | undefined;
  const replyReadiness = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    // One question to the bus at a time, however many requests there are.
    checking ??= checkReadiness(bus, manager, draining, facts).finally(() => {
      checking = undefined;
    });
    const readiness = await checking;
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  };
  server.get('/readyz', replyReadiness);
  // Google's front end keeps some public paths that end in z for itself.
  server.get('/health/ready', replyReadiness);
  server.get<{ Params: { connector: string } }>('/_debug/:connector', (request, reply) => {
    const snapshot = manager.getSnapshot(request.params.connector);
    return snapshot === undefined
      ? reply.code(404).send({ error: 'there is no such connector', connectors: manager.names })
      : reply.send(snapshot);
  });
  addDeadLetterRoutes(server, services.desk);
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
    if (status >= 500 && !(error instanceof BodyRefusedError))
      logger.error('http.failed', { path: request.url.split('?')[0], reason: error.message });
    void reply.code(status).send({ error: status >= 500 ? 'internal error' : error.message });
  });

  return {
    listen: async (host, port) => {
      try {
        const opening = server.listen({ host, port });
        listening = opening.catch(() => undefined);
        await opening;
        isLoopbackOnly = server.addresses().every((at) => typeof at === 'object' && isLoopback(at.address));
      } catch (error) {
        const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
        if (code === 'EADDRINUSE') {
          throw new Error(`port ${port} is in use: stop what uses it or set PORT to another one`, {
            cause: error,
          });
        }
        if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL') {
          throw new Error(
            `HOST is no address of this machine (${code}): set it to one, or to 0.0.0.0 for all`,
            {
              cause: error,
            },
          );
        }
        throw error;
      }
      const address = server.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    get isLoopbackOnly() {
      return isLoopbackOnly;
    },
    drain: () => {
      draining = true;
    },
    close: async () => {
      // A server that is closed while it begins to listen would listen all the same.
      await listening;
      guard.close();
      await server.close();
    },
  };
}

/** The answer to every request for what is not there, or not for this client. */
const NOT_FOUND = { error: 'not found' };

/**
 * Closes the connection after an answer to a request that was not read to its end.
 *
 * Without the pause, the system would reset the connection while the answer is on its way, and the client would lose it.
 */
function closeAfter({ socket }: IncomingMessage, reply: FastifyReply, lingerMs: number): void {
  reply.header('connection', 'close');
  // Node calls it when the answer has been written.
  socket.destroySoon = () => {
    socket.pause();
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
}

function sendWebhookResponse(reply: FastifyReply, response: WebhookResponse): FastifyReply {
  reply.code(response.status);
  if (response.contentType !== undefined) reply.header('content-type', response.contentType);
  return reply.send(response.body ?? '');
}
