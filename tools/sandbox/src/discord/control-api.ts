import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from './api-error.js';
import {
  channelChangeSchema,
  channelSchema,
  editSchema,
  guildSchema,
  inboundMessageSchema,
  typingSchema,
} from './control-schema.js';
import { type DiscordSandbox } from './discord-sandbox.js';
import { faultSchema } from './fault-schema.js';

/** Largest control request, in bytes: room for 10 MiB of files in base64. */
const BODY_LIMIT = 16 * 1024 * 1024;
/** Longest long poll, in milliseconds. */
const MAX_WAIT_MS = 60_000;

const messagesQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,20}$/)
    .default('0'),
  waitMs: z.coerce.number().int().min(0).max(MAX_WAIT_MS).default(0),
});
const faultsBody = z.union([z.array(z.unknown()).min(1), z.unknown().transform((fault) => [fault])]);

/** Adds the control interface under `/discord`: the switches and windows of the sandbox, for tests and people. */
export async function registerControlApi(app: FastifyInstance, sandbox: DiscordSandbox): Promise<void> {
  await app.register(
    (scope, _options, done) => {
      scope.setErrorHandler(replyWithControlError);
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
  scope.get('/faults', () => Promise.resolve(sandbox.faults()));
  scope.post('/faults', async (request, reply) => {
    // All are read before the first is caused: a list with a mistake causes nothing.
    const faults = faultsBody.parse(request.body).map((fault) => read(faultSchema, fault, 'body'));
    const receipts = faults.map((fault) => sandbox.injectFault(fault));
    return reply.code(201).send(Array.isArray(request.body) ? receipts : receipts[0]);
  });
  scope.delete('/faults', () => Promise.resolve({ healed: sandbox.heal() }));
  scope.delete('/faults/:id', (request) => {
    const healed = sandbox.heal(param(request, 'id'));
    if (healed === 0) throw new ApiError(404, 0, `There is no fault ${param(request, 'id')}.`);
    return Promise.resolve({ healed });
  });
  scope.get('/stats', () => Promise.resolve(sandbox.stats()));
  scope.get('/environment', () => Promise.resolve(sandbox.environment()));
  scope.get('/cdn/attachments/:channelId/:id/:filename', (request, reply) => {
    const { bytes, contentType } = sandbox.attachment(param(request, 'channelId'), param(request, 'id'));
    return reply.header('content-type', contentType).send(bytes);
  });
}

/** Parses a part of a request. Throws 400 with the name of each field that is wrong. */
function read<T>(schema: z.ZodType<T>, value: unknown, part: 'body' | 'query'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path.map(String).join('.');
    return name === '' ? `${part}: ${issue.message}` : `${name}: ${issue.message}`;
  });
  throw new ApiError(400, 50035, faults.join('; '));
}

function param(request: FastifyRequest, name: string): string {
  const params = request.params as Record<string, string>; // Fastify gives path parameters as strings
  return params[name] ?? '';
}

function replyWithControlError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof ApiError) {
    return reply.code(error.status).send({ status: error.status, code: error.code, message: error.message });
  }
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  return reply.code(status).send({ status, message: error instanceof Error ? error.message : 'Error' });
}
