import { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createErrorHandler, param, readInput, waitMs } from '../../control-request.js';
import { registerFaultRoutes } from '../../fault-routes.js';
import { ApiError } from '../api-error.js';
import {
  channelChangeSchema,
  channelSchema,
  editSchema,
  guildSchema,
  inboundMessageSchema,
  typingSchema,
} from './control-schema.js';
import { type DiscordSandbox } from '../discord-sandbox.js';
import { faultSchema } from '../fault-schema.js';

/** Largest control request, in bytes: room for 10 MiB of files in base64. */
const BODY_LIMIT = 16 * 1024 * 1024;

const messagesQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,20}$/)
    .default('0'),
  waitMs,
});

/** Adds the control interface under `/discord`: the switches and windows of the sandbox, for tests and people. */
export async function registerControlApi(app: FastifyInstance, sandbox: DiscordSandbox): Promise<void> {
  await app.register(
    (scope, _options, done) => {
      scope.setErrorHandler(createErrorHandler(ApiError));
      registerMessages(scope, sandbox);
      registerChannels(scope, sandbox);
      registerSwitches(scope, sandbox);
      done();
    },
    { prefix: '/discord' },
  );
}

function registerMessages(scope: FastifyInstance, sandbox: DiscordSandbox): void {
  scope.post('/messages', { bodyLimit: BODY_LIMIT }, async (request, reply) =>
    reply.code(201).send(sandbox.receiveMessage(read(inboundMessageSchema, request.body, 'body'))),
  );
  scope.patch('/messages/:id', (request) =>
    Promise.resolve(
      sandbox.editMessage(param(request, 'id'), read(editSchema, request.body, 'body').content),
    ),
  );
  scope.delete('/messages/:id', async (request, reply) => {
    sandbox.deleteMessage(param(request, 'id'));
    return reply.code(204).send();
  });
  scope.post('/typing', async (request, reply) => {
    const { channelId, author } = read(typingSchema, request.body, 'body');
    sandbox.type(channelId, author);
    return reply.code(204).send();
  });
}

function registerChannels(scope: FastifyInstance, sandbox: DiscordSandbox): void {
  scope.post('/guilds', async (request, reply) =>
    reply.code(201).send(sandbox.createGuild(read(guildSchema, request.body, 'body'))),
  );
  scope.delete('/guilds/:id/membership', async (request, reply) => {
    sandbox.removeFromGuild(param(request, 'id'));
    return reply.code(204).send();
  });
  scope.put('/guilds/:id/membership', async (request, reply) => {
    sandbox.inviteToGuild(param(request, 'id'));
    return reply.code(204).send();
  });
  scope.get('/channels', () => Promise.resolve(sandbox.channels()));
  scope.post('/channels', async (request, reply) =>
    reply.code(201).send(sandbox.createChannel(read(channelSchema, request.body, 'body'))),
  );
  scope.get('/channels/:id', (request) => Promise.resolve(sandbox.channel(param(request, 'id'))));
  scope.patch('/channels/:id', (request) =>
    Promise.resolve(
      sandbox.updateChannel(param(request, 'id'), read(channelChangeSchema, request.body, 'body')),
    ),
  );
  scope.delete('/channels/:id', async (request, reply) => {
    sandbox.deleteChannel(param(request, 'id'));
    return reply.code(204).send();
  });
  scope.get('/channels/:id/messages', (request) => {
    const { after, waitMs } = read(messagesQuery, request.query, 'query');
    return sandbox.waitForMessages(param(request, 'id'), after, waitMs);
  });
}

function registerSwitches(scope: FastifyInstance, sandbox: DiscordSandbox): void {
  registerFaultRoutes(scope, '/faults', sandbox, {
    read: (fault) => read(faultSchema, fault, 'body'),
    notFound: (message) => new ApiError(404, 0, message),
  });
  scope.get('/stats', () => Promise.resolve(sandbox.stats()));
  scope.get('/environment', () => Promise.resolve(sandbox.environment()));
  scope.get('/cdn/attachments/:channelId/:id/:filename', (request, reply) => {
    const { bytes, contentType } = sandbox.attachment(param(request, 'channelId'), param(request, 'id'));
    return reply.header('content-type', contentType).send(bytes);
  });
}

function read<T>(schema: z.ZodType<T>, value: unknown, part: 'body' | 'query'): T {
  return readInput(schema, value, part, (message) => new ApiError(400, 50035, message));
}
