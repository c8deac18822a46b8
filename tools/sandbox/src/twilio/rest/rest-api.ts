import { type FastifyInstance } from 'fastify';
import { invalidParameter } from '../api-error.js';
import { selectConversations } from './conversation-filter.js';
import { checkBasicAuth, replyWithError, throughGate } from './fastify-gate.js';
import { writeOutbound } from '../model/message-writer.js';
import { checkAttributes, checkOutbound } from '../model/outbound-policy.js';
import { type ConversationState } from '../model/records.js';
import { type Answer } from './request-gate.js';
import { found, RestCall, type RestContext } from './rest-call.js';
import { toRestConversation, toRestMessage, toRestParticipant, toRestService } from './rest-views.js';
import { toReceipts } from '../tunnel/tunnel-views.js';

/** Adds Twilio's REST interface, with and without a service in the path. */
export async function registerRestApi(app: FastifyInstance, context: RestContext): Promise<void> {
  for (const prefix of ['/v1', '/v1/Services/:serviceSid']) {
    await app.register(
      (scope, _options, done) => {
        registerRoutes(scope, context);
        done();
      },
      { prefix },
    );
  }
}

function registerRoutes(scope: FastifyInstance, context: RestContext): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, new URLSearchParams(body.toString()));
    },
  );
  scope.setErrorHandler(replyWithError);
  scope.addHook('onSend', (_request, reply, payload, done) => {
    void reply.header('date', context.time.httpDate());
    done(null, payload);
  });
  const add = (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    operation: string,
    handle: (call: RestCall) => Answer,
  ): void => {
    scope.route({
      method,
      url,
      handler: throughGate(context.gate, 'rest', operation, (request) => {
        checkBasicAuth(request.headers.authorization, context.accounts);
        const call = new RestCall(context, request);
        call.checkService();
        return handle(call);
      }),
    });
  };

  add('GET', '', 'getService', (call) => found(toRestService(call.identity)));
  add('GET', '/Conversations', 'listConversations', (call) =>
    call.page('conversations', selectConversations(call), (each) => toRestConversation(call.identity, each)),
  );
  add('POST', '/Conversations', 'createConversation', createConversation);
  add('GET', '/Conversations/:conversation', 'getConversation', (call) =>
    found(toRestConversation(call.identity, call.conversation())),
  );
  add('POST', '/Conversations/:conversation', 'updateConversation', updateConversation);
  add('DELETE', '/Conversations/:conversation', 'deleteConversation', (call) => {
    call.model.removeConversation(call.conversation(), call.cause);
    return { status: 204 };
  });
  add('GET', '/Conversations/:conversation/Participants', 'listParticipants', (call) => {
    const conversation = call.conversation();
    return call.page('participants', [...conversation.participants.values()], (each) =>
      toRestParticipant(call.identity, conversation, each),
    );
  });
  add('POST', '/Conversations/:conversation/Participants', 'createParticipant', createParticipant);
  add('GET', '/Conversations/:conversation/Participants/:participant', 'getParticipant', (call) => {
    const { conversation, participant } = call.participant();
    return found(toRestParticipant(call.identity, conversation, participant));
  });
  add('POST', '/Conversations/:conversation/Participants/:participant', 'updateParticipant', (call) => {
    const { conversation, participant } = call.participant();
    const index = call.form('LastReadMessageIndex');
    if (index !== undefined) {
      const horizon = index === 'null' || index === '' ? null : Number(index);
      call.model.setReadHorizon(conversation, participant, horizon, call.cause);
    }
    return found(toRestParticipant(call.identity, conversation, participant));
  });
  add('DELETE', '/Conversations/:conversation/Participants/:participant', 'deleteParticipant', (call) => {
    const { conversation, participant } = call.participant();
    call.model.removeParticipant(conversation, participant, call.cause);
    return { status: 204 };
  });
  add('GET', '/Conversations/:conversation/Messages', 'listMessages', (call) => {
    const conversation = call.conversation();
    const ascending = conversation.messages;
    const ordered = call.query('Order') === 'desc' ? [...ascending].reverse() : ascending;
    return call.page('messages', ordered, (each) => toRestMessage(call.identity, conversation, each));
  });
  add('POST', '/Conversations/:conversation/Messages', 'createMessage', createMessage);
  add('GET', '/Conversations/:conversation/Messages/:message', 'getMessage', (call) => {
    const { conversation, message } = call.message();
    return found(toRestMessage(call.identity, conversation, message));
  });
  add('POST', '/Conversations/:conversation/Messages/:message', 'updateMessage', (call) => {
    const { conversation, message } = call.message();
    const body = call.form('Body') ?? message.body;
    const attributes = call.form('Attributes') ?? message.attributes;
    checkOutbound(conversation, { body, attributes, mediaCount: message.medias.length }, new Set());
    call.model.updateMessage(conversation, message, { body, attributes }, call.cause);
    return found(toRestMessage(call.identity, conversation, message));
  });
  add('DELETE', '/Conversations/:conversation/Messages/:message', 'deleteMessage', (call) => {
    const { conversation, message } = call.message();
    call.model.removeMessage(conversation, message, call.cause);
    return { status: 204 };
  });
  add('GET', '/Conversations/:conversation/Messages/:message/Receipts', 'listReceipts', (call) => {
    const { conversation, message } = call.message();
    return call.page('delivery_receipts', toReceipts(conversation, message), (each) => each);
  });
}

function createConversation(call: RestCall): Answer {
  const attributes = call.form('Attributes') ?? '{}';
  checkAttributes(attributes);
  const conversation = call.model.createConversation(
    {
      friendlyName: call.form('FriendlyName') ?? null,
      uniqueName: call.form('UniqueName') ?? null,
      attributes,
      createdBy: 'system',
    },
    call.cause,
  );
  return { status: 201, body: toRestConversation(call.identity, conversation) };
}

function updateConversation(call: RestCall): Answer {
  const conversation = call.conversation();
  const attributes = call.form('Attributes') ?? conversation.attributes;
  checkAttributes(attributes);
  const state = stateOf(call.form('State'));
  call.model.updateConversation(
    conversation,
    {
      attributes,
      friendlyName: call.form('FriendlyName') ?? conversation.friendlyName,
      uniqueName: call.form('UniqueName') ?? conversation.uniqueName,
    },
    call.cause,
  );
  if (state !== undefined) call.model.setState(conversation, state, call.cause);
  return found(toRestConversation(call.identity, conversation));
}

function stateOf(text: string | undefined): ConversationState | undefined {
  if (text === undefined || text === 'active' || text === 'inactive' || text === 'closed') return text;
  throw invalidParameter('State must be one of active, inactive, closed.');
}

function createParticipant(call: RestCall): Answer {
  const conversation = call.conversation();
  const identity = call.form('Identity');
  const address = call.form('MessagingBinding.Address');
  const proxyAddress = call.form('MessagingBinding.ProxyAddress');
  const attributes = call.form('Attributes') ?? '{}';
  if (identity === undefined && (address === undefined || proxyAddress === undefined)) {
    throw invalidParameter(
      'A participant needs Identity, or MessagingBinding.Address and MessagingBinding.ProxyAddress.',
    );
  }
  const participant = call.model.addParticipant(
    conversation,
    identity === undefined
      ? { address: address ?? '', proxyAddress: proxyAddress ?? '', attributes }
      : { identity, attributes },
    call.cause,
  );
  return { status: 201, body: toRestParticipant(call.identity, conversation, participant) };
}

function createMessage(call: RestCall): Answer {
  const conversation = call.conversation();
  const message = writeOutbound(
    call.model,
    call.context.media,
    conversation,
    {
      author: call.form('Author') ?? 'system',
      body: call.form('Body') ?? null,
      attributes: call.form('Attributes') ?? '{}',
      mediaSids: call.formAll('MediaSid'),
    },
    call.cause,
  );
  return { status: 201, body: toRestMessage(call.identity, conversation, message) };
}
