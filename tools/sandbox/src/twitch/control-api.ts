import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ControlError } from './control-error.js';
import {
  channelPatchSchema,
  messageQuerySchema,
  tokenRequestSchema,
  twitchEventSchema,
  userMessageSchema,
} from './control-schema.js';
import { twitchFaultSchema } from './fault-schema.js';
import { type TwitchSandbox } from './twitch-sandbox.js';

const faultsBody = z.union([z.array(z.unknown()).min(1), z.unknown().transform((fault) => [fault])]);

/** Adds the control interface under `/twitch`: the switches and windows of the sandbox, for tests and people. */
export function registerControlApi(app: FastifyInstance, sandbox: TwitchSandbox): void {
  app.setErrorHandler(replyWithError);
  app.post('/twitch/messages', (request, reply) =>
    reply.code(201).send(sandbox.receiveMessage(read(userMessageSchema, request.body, 'body'))),
  );
  app.post('/twitch/events', (request, reply) =>
    reply.code(201).send({ connections: sandbox.sendEvent(read(twitchEventSchema, request.body, 'body')) }),
  );
  app.post('/twitch/tokens', (request, reply) => {
    const pair = sandbox.issueToken(read(tokenRequestSchema, request.body, 'body'));
    return reply.code(201).send({
      login: pair.user.login,
      userId: pair.user.id,
      scopes: pair.scopes,
      accessToken: pair.accessToken,
      refreshToken: pair.refreshToken,
      expiresAt: new Date(pair.expiresAt).toISOString(),
    });
  });
  registerChannels(app, sandbox);
  registerSwitches(app, sandbox);
}

function registerChannels(app: FastifyInstance, sandbox: TwitchSandbox): void {
  app.get('/twitch/channels', () => Promise.resolve(sandbox.channels()));
  app.get('/twitch/channels/:name', (request) => Promise.resolve(sandbox.channel(nameOf(request))));
  app.patch('/twitch/channels/:name', (request) =>
    Promise.resolve(
      sandbox.configureChannel(nameOf(request), read(channelPatchSchema, request.body, 'body')),
    ),
  );
  app.get('/twitch/channels/:name/messages', (request) => {
    const { after, waitMs } = read(messageQuerySchema, request.query, 'query');
    return sandbox.waitForMessages(nameOf(request), after, waitMs);
  });
  app.get('/twitch/channels/:name/commands', (request) =>
    Promise.resolve(sandbox.commands(sandbox.channel(nameOf(request)).name)),
  );
  app.get('/twitch/commands', () => Promise.resolve(sandbox.commands()));
}

function registerSwitches(app: FastifyInstance, sandbox: TwitchSandbox): void {
  app.get('/twitch/faults', () => Promise.resolve(sandbox.faults()));
  app.post('/twitch/faults', (request, reply) => {
    // All are read before the first is caused: a list with a mistake causes nothing.
    const faults = faultsBody.parse(request.body).map((fault) => read(twitchFaultSchema, fault, 'body'));
    const receipts = faults.map((fault) => sandbox.injectFault(fault));
    return reply.code(201).send(Array.isArray(request.body) ? receipts : receipts[0]);
  });
  app.delete('/twitch/faults', () => Promise.resolve({ healed: sandbox.heal() }));
  app.delete('/twitch/faults/:name', (request) => {
    const healed = sandbox.heal(nameOf(request));
    if (healed === 0) throw new ControlError(404, `There is no fault ${nameOf(request)}.`);
    return Promise.resolve({ healed });
  });
  app.get('/twitch/stats', () => Promise.resolve(sandbox.stats()));
  app.get('/twitch/environment', () => Promise.resolve(sandbox.environment()));
}

/** Parses a part of a request. Throws 400 with the name of each field that is wrong. */
function read<T>(schema: z.ZodType<T>, value: unknown, part: 'body' | 'query'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path.map(String).join('.');
    return name === '' ? `${part}: ${issue.message}` : `${name}: ${issue.message}`;
  });
  throw new ControlError(400, faults.join('; '));
}

function nameOf(request: FastifyRequest): string {
  return z.object({ name: z.string() }).parse(request.params).name;
}

function replyWithError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status =
    error instanceof ControlError
      ? error.status
      : error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
  return reply.code(status).send({ status, message: error instanceof Error ? error.message : 'Error' });
}
