import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { resetConnection } from '../../reset-connection.js';
import { ApiError } from '../api-error.js';
import {
  deleteMessage,
  editMessage,
  getHistory,
  getMessage,
  sendMessage,
  type SendContext,
} from './rest-messages.js';
import {
  createDirect,
  getApplication,
  getChannel,
  getGuild,
  listActiveThreads,
  listChannels,
  requireReadable,
} from './rest-resources.js';
import { type Answer, type RestGate } from './rest-gate.js';
import { toWireUser } from '../wire/wire.js';

/** What the REST interface works on. */
export interface RestContext extends SendContext {
  readonly gate: RestGate;
  /** Holds requests that are never answered, until the sandbox closes. */
  hold(reply: FastifyReply): void;
  /** `GET /gateway/bot`'s answer. */
  gatewayInfo(): { readonly url: string; readonly shards: number; readonly session_start_limit: object };
}

/** A request whose route has been found. */
export interface RestCall {
  /** A parameter of the path. */
  param(name: string): string;
  readonly query: unknown;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** Adds Discord's REST interface, version 10, under `/api/v10`. */
export async function registerRestApi(app: FastifyInstance, context: RestContext): Promise<void> {
  await app.register(
    (scope, _options, done) => {
      registerRoutes(scope, context);
      done();
    },
    { prefix: '/api/v10' },
  );
}

/** Room for the parts around an upload of the largest size. */
const MULTIPART_OVERHEAD_BYTES = 64 * 1024;

function registerRoutes(scope: FastifyInstance, context: RestContext): void {
  const { model, gate } = context;
  const bodyLimit = context.maxUploadBytes + MULTIPART_OVERHEAD_BYTES;
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => {
    done(null, body);
  });
  scope.setErrorHandler(replyWithError);
  const reply404 = new ApiError(404, 0, '404: Not Found');

  const add = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    operation: string,
    handle: (call: RestCall) => Answer | Promise<Answer>,
    limited = false,
  ): void => {
    scope.route({
      method,
      url,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const call = toCall(request);
        const result = await gate.pass(
          {
            operation,
            method,
            path: decodeURI(request.url.split('?', 1)[0] ?? ''),
            authorization: request.headers.authorization,
            bucket: limited ? `${operation}:${call.param('channelId')}` : undefined,
          },
          () => handle(call),
        );
        if (result.kind === 'answer') return sendAnswer(reply, result.answer);
        reply.hijack();
        if (result.how === 'drop') resetConnection(request.raw.socket);
        else context.hold(reply);
        return reply;
      },
    });
  };
  const ok = (body: unknown): Answer => ({ status: 200, body });

  add('GET', '/gateway', 'getGateway', () => ok({ url: context.gatewayInfo().url }));
  add('GET', '/gateway/bot', 'getGatewayBot', () => ok(context.gatewayInfo()));
  add('GET', '/users/@me', 'getCurrentUser', () => ok({ ...toWireUser(model.bot), verified: true }));
  add('GET', '/applications/@me', 'getCurrentApplication', () => ok(getApplication(context)));
  add('POST', '/users/@me/channels', 'createDirect', (call) => ok(createDirect(model, call.body)));
  add('GET', '/guilds/:guildId', 'getGuild', (call) => ok(getGuild(model, call.param('guildId'))));
  add('GET', '/guilds/:guildId/channels', 'listChannels', (call) =>
    ok(listChannels(model, call.param('guildId'))),
  );
  add('GET', '/guilds/:guildId/threads/active', 'listActiveThreads', (call) =>
    ok(listActiveThreads(model, call.param('guildId'))),
  );
  add('GET', '/channels/:channelId', 'getChannel', (call) => ok(getChannel(model, call.param('channelId'))));
  add('GET', '/channels/:channelId/messages', 'getHistory', (call) => ok(getHistory(context, call)));
  add(
    'POST',
    '/channels/:channelId/messages',
    'createMessage',
    (call) => ok(sendMessage(context, call)),
    true,
  );
  add('GET', '/channels/:channelId/messages/:messageId', 'getMessage', (call) =>
    ok(getMessage(context, call)),
  );
  add(
    'PATCH',
    '/channels/:channelId/messages/:messageId',
    'editMessage',
    (call) => ok(editMessage(context, call)),
    true,
  );
  add(
    'DELETE',
    '/channels/:channelId/messages/:messageId',
    'deleteMessage',
    (call) => {
      deleteMessage(context, call);
      return { status: 204 };
    },
    true,
  );
  add('POST', '/channels/:channelId/typing', 'triggerTyping', (call) => {
    model.type(requireReadable(model, call.param('channelId')), model.bot);
    return { status: 204 };
  });
  scope.setNotFoundHandler((_request, reply) => sendAnswer(reply, { status: 404, body: reply404.toBody() }));
}

function toCall(request: FastifyRequest): RestCall {
  const params = request.params as Record<string, string>; // Fastify gives path parameters as strings
  return {
    param: (name) => params[name] ?? '',
    query: request.query,
    contentType: request.headers['content-type'],
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}

function sendAnswer(reply: FastifyReply, { status, body, headers = {} }: Answer): FastifyReply {
  void reply.code(status).headers(headers);
  if (body === undefined) return reply.send();
  if (typeof body === 'string') return reply.send(body);
  // As a buffer, so that no charset is added: clients compare the content type with `application/json`.
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)));
}

function replyWithError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  const refusal =
    status === 413
      ? new ApiError(413, 40005, 'Request entity too large')
      : new ApiError(status, 0, error instanceof Error ? error.message : 'Error');
  return sendAnswer(reply, { status, body: refusal.toBody() });
}
