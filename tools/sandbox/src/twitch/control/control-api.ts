import { type FastifyInstance } from 'fastify';
import { type z } from 'zod';
import { createErrorHandler, param, readInput } from '../../control-request.js';
import { registerFaultRoutes } from '../../fault-routes.js';
import { ControlError } from './control-error.js';
import {
  channelPatchSchema,
  messageQuerySchema,
  tokenRequestSchema,
  twitchEventSchema,
  userMessageSchema,
} from './control-schema.js';
import { twitchFaultSchema } from '../fault-schema.js';
import { type TwitchSandbox } from '../twitch-sandbox.js';

/** Adds the control interface under `/twitch`: the switches and windows of the sandbox, for tests and people. */
export function registerControlApi(app: FastifyInstance, sandbox: TwitchSandbox): void {
  app.setErrorHandler(createErrorHandler(ControlError));
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
  app.get('/twitch/channels/:name', (request) => Promise.resolve(sandbox.channel(param(request, 'name'))));
  app.patch('/twitch/channels/:name', (request) =>
    Promise.resolve(
      sandbox.configureChannel(param(request, 'name'), read(channelPatchSchema, request.body, 'body')),
    ),
  );
  app.get('/twitch/channels/:name/messages', (request) => {
    const { after, waitMs } = read(messageQuerySchema, request.query, 'query');
    return sandbox.waitForMessages(param(request, 'name'), after, waitMs);
  });
  app.get('/twitch/channels/:name/commands', (request) =>
    Promise.resolve(sandbox.commands(sandbox.channel(param(request, 'name')).name)),
  );
  app.get('/twitch/commands', () => Promise.resolve(sandbox.commands()));
}

function registerSwitches(app: FastifyInstance, sandbox: TwitchSandbox): void {
  registerFaultRoutes(app, '/twitch/faults', sandbox, {
    read: (fault) => read(twitchFaultSchema, fault, 'body'),
    notFound: (message) => new ControlError(404, message),
  });
  app.get('/twitch/stats', () => Promise.resolve(sandbox.stats()));
  app.get('/twitch/environment', () => Promise.resolve(sandbox.environment()));
}

function read<T>(schema: z.ZodType<T>, value: unknown, part: 'body' | 'query'): T {
  return readInput(schema, value, part, (message) => new ControlError(400, message));
}
