import { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createErrorHandler, param, waitMs } from '../../control-request.js';
import { registerFaultRoutes } from '../../fault-routes.js';
import { ApiError } from '../api-error.js';
import {
  clockSchema,
  conversationSchema,
  conversationStateSchema,
  deliverySchema,
  inboundMessageSchema,
  optOutSchema,
  participantSchema,
  webhookTargetSchema,
} from './control-schema.js';
import { faultSchema } from '../fault-schema.js';
import { parseInput } from './parse-input.js';
import { type TwilioSandbox } from '../twilio-sandbox.js';

/** Largest control request, in bytes: room for a 16 MB file in base64. */
const BODY_LIMIT = 24 * 1024 * 1024;

const messagesQuery = z.strictObject({ after: z.coerce.number().int().min(-1).default(-1), waitMs });
const webhooksQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0), waitMs });

/** Adds the control interface under `/twilio`: the switches and windows of the sandbox, for tests and people. */
export async function registerControlApi(app: FastifyInstance, sandbox: TwilioSandbox): Promise<void> {
  await app.register(
    (scope, _options, done) => {
      scope.setErrorHandler(createErrorHandler(ApiError));
      registerMessages(scope, sandbox);
      registerConversations(scope, sandbox);
      registerSwitches(scope, sandbox);
      done();
    },
    { prefix: '/twilio', bodyLimit: BODY_LIMIT },
  );
}

function registerMessages(scope: FastifyInstance, sandbox: TwilioSandbox): void {
  scope.post('/messages', { bodyLimit: BODY_LIMIT }, async (request, reply) => {
    const receipt = await sandbox.receiveMessage(parseInput(inboundMessageSchema, request.body));
    return reply.code(201).send(receipt);
  });
  scope.delete('/messages/:sid', async (request, reply) => {
    sandbox.deleteMessage(param(request, 'sid'));
    return reply.code(204).send();
  });
  scope.post('/messages/:sid/delivery', (request) =>
    Promise.resolve(sandbox.setDelivery(param(request, 'sid'), parseInput(deliverySchema, request.body))),
  );
  scope.get('/opt-outs', () => Promise.resolve(sandbox.optOuts()));
  scope.post('/opt-outs', (request) => {
    const { address, optedOut } = parseInput(optOutSchema, request.body);
    sandbox.setOptOut(address, optedOut);
    return Promise.resolve({ address, optedOut });
  });
}

function registerConversations(scope: FastifyInstance, sandbox: TwilioSandbox): void {
  scope.get('/conversations', () => Promise.resolve(sandbox.conversations()));
  scope.post('/conversations', async (request, reply) => {
    const input = parseInput(conversationSchema, request.body ?? {});
    return reply.code(201).send(sandbox.createConversation(input));
  });
  scope.get('/conversations/:sid', (request) => Promise.resolve(sandbox.conversation(param(request, 'sid'))));
  scope.post('/conversations/:sid/state', (request) => {
    const input = parseInput(conversationStateSchema, request.body);
    return Promise.resolve(sandbox.setConversationState(param(request, 'sid'), input));
  });
  scope.delete('/conversations/:sid', async (request, reply) => {
    sandbox.deleteConversation(param(request, 'sid'));
    return reply.code(204).send();
  });
  scope.get('/conversations/:sid/messages', (request) => {
    const query = parseInput(messagesQuery, request.query, 'query');
    return sandbox.waitForMessages(param(request, 'sid'), query.after, query.waitMs);
  });
  scope.post('/conversations/:sid/participants', async (request, reply) => {
    const input = parseInput(participantSchema, request.body);
    return reply.code(201).send(sandbox.addParticipant(param(request, 'sid'), input));
  });
  scope.delete('/conversations/:sid/participants/:participant', async (request, reply) => {
    sandbox.removeParticipant(param(request, 'sid'), param(request, 'participant'));
    return reply.code(204).send();
  });
}

function registerSwitches(scope: FastifyInstance, sandbox: TwilioSandbox): void {
  registerFaultRoutes(scope, '/faults', sandbox, {
    read: (fault) => parseInput(faultSchema, fault),
    notFound: (message) => new ApiError(404, 20404, message),
  });
  scope.get('/webhooks', async (request) => {
    const { after, waitMs: wait } = parseInput(webhooksQuery, request.query, 'query');
    return sandbox.waitForWebhooks(after, wait);
  });
  scope.put('/webhook-target', (request) => {
    const { url, format } = parseInput(webhookTargetSchema, request.body);
    sandbox.setWebhookUrl(url ?? undefined, format);
    return Promise.resolve({ url, format });
  });
  scope.put('/clock', (request) => {
    const { offsetMs } = parseInput(clockSchema, request.body);
    sandbox.setClockOffset(offsetMs);
    return Promise.resolve({ offsetMs });
  });
  scope.get('/stats', () => Promise.resolve(sandbox.stats()));
  scope.get('/environment', () => Promise.resolve(sandbox.environment()));
}
