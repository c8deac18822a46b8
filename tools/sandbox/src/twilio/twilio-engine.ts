import { setMaxListeners } from 'node:events';
import { FaultRules, seededRandom } from '../fault-rules.js';
import { type PlatformContext } from '../platform.js';
import { type WireAnswer } from '../wire.js';
import { WaitList } from '../wait-list.js';
import { ConversationsModel } from './model/conversations-model.js';
import { type ArmedFault } from './fault-schema.js';
import { FaultSwitch } from './fault-switch.js';
import { MediaStore } from './model/media-store.js';
import { MessageWatch } from './model/message-watch.js';
import { PlatformTime } from './platform-time.js';
import { type Conversation } from './model/records.js';
import { type GateResult, RequestGate } from './rest/request-gate.js';
import { Stats } from './stats.js';
import { SyncProjection } from './sync/sync-projection.js';
import { SyncStore } from './sync/sync-store.js';
import { type TunnelContext } from './tunnel/tunnel-call.js';
import { routeTunnelRequest } from './tunnel/tunnel-router.js';
import { type TwilioSandboxOptions } from './twilio-options.js';
import { TwilsockServer } from './wire/twilsock-server.js';
import { TwilsockSessions } from './wire/twilsock-session.js';
import { toWebhookEvent } from './webhooks/webhook-events.js';
import { WebhookSender } from './webhooks/webhooks.js';

/** The parts of the local Twilio, wired. */
export interface TwilioEngine {
  readonly model: ConversationsModel;
  readonly media: MediaStore;
  readonly time: PlatformTime;
  /** Told of every change. */
  readonly waits: WaitList;
  readonly watch: MessageWatch;
  readonly webhooks: WebhookSender;
  readonly sockets: TwilsockServer;
  readonly faults: FaultSwitch;
  readonly gate: RequestGate;
  readonly stats: Stats;
  /** Aborted when the sandbox closes. */
  readonly signal: AbortSignal;
  /** Ends all sockets, waits and requests. */
  close(): Promise<void>;
}

/** Makes and wires the parts. Nothing listens yet. */
export function createTwilioEngine(options: TwilioSandboxOptions, context: PlatformContext): TwilioEngine {
  const time = new PlatformTime(options.clockOffsetMs);
  const { now } = time;
  const stopped = new AbortController();
  // Each request that a fault delays listens to it, however many there are.
  setMaxListeners(0, stopped.signal);
  const stats = new Stats();
  const waits = new WaitList();
  const changed = (): void => {
    waits.notify();
  };
  const rules = new FaultRules<ArmedFault>(Date.now, seededRandom(options.seed), changed);
  const gate = new RequestGate(rules, stats, stopped.signal);
  const model = new ConversationsModel(now, options.historyLimit, options.conversationLimit);
  const store = new SyncStore(now, options.historyLimit);
  const projection = new SyncProjection(store);
  const origin = (): string => context.origin();
  const media = new MediaStore({
    serviceSid: options.chatServiceSid,
    secret: options.apiSecret,
    urlTtlMs: options.mediaUrlTtlMs,
    origin,
    now,
  });
  const tunnel: TunnelContext = {
    model,
    projection,
    store,
    media,
    serviceSid: options.chatServiceSid,
    notParticipantCode: options.notParticipantCode,
    origin,
    notifyTyping: (conversation, typist) => {
      sockets.notifyTyping(conversation.sid, typist, othersIn(conversation, typist));
    },
  };
  const sockets = new TwilsockServer({
    authority: options,
    store,
    sessions: new TwilsockSessions(),
    faults: rules,
    stats,
    tokenWarningMs: options.tokenWarningMs,
    pingIntervalMs: options.pingIntervalMs,
    now,
    handle: (request, peer) => {
      const { operation, execute } = routeTunnelRequest(tunnel, request, peer);
      const { method, path } = request;
      const struck = context.wire.pass(`tunnel ${operation}`);
      if (struck !== undefined) return Promise.resolve(toStruck(struck));
      return gate.pass({ target: 'tunnel', operation, method, path }, execute);
    },
    wire: context.wire,
    changed,
    log: (event, fields) => {
      context.log(event, fields);
    },
  });
  // The order matters: whoever waits for a message finds it pushed already, and webhooks come last.
  model.onChange((change) => {
    projection.apply(change);
  });
  const watch = new MessageWatch(model, waits);
  model.onChange(changed);
  const webhooks = new WebhookSender(
    {
      url: options.webhookUrl,
      format: options.webhookFormat,
      authToken: options.authToken,
      events: options.webhookEvents,
      timeoutMs: options.webhookTimeoutMs,
      retries: options.webhookRetries,
    },
    rules,
    stopped.signal,
    changed,
  );
  model.onChange((change) => {
    if (!change.silent) webhooks.send(toWebhookEvent(change, options.accountSid, options.chatServiceSid));
  });
  return {
    model,
    media,
    time,
    waits,
    watch,
    webhooks,
    sockets,
    faults: new FaultSwitch(rules, sockets),
    gate,
    stats,
    signal: stopped.signal,
    close: async () => {
      stopped.abort();
      sockets.close();
      waits.close();
      await webhooks.idle();
    },
  };
}

function othersIn(conversation: Conversation, typist: string): ReadonlySet<string> {
  const identities = [...conversation.participants.values()].flatMap(({ identity }) => identity ?? []);
  return new Set(identities.filter((identity) => identity !== typist));
}

/** What the wire's answer is to a request inside the socket. */
function toStruck(answer: WireAnswer): GateResult {
  switch (answer.kind) {
    case 'status':
      return { kind: 'answer', answer: { status: answer.status, body: struckBody(answer) } };
    case 'garbage':
      return { kind: 'answer', answer: { status: 200, body: '\ufffd{' } };
    case 'cut':
      return { kind: 'lost', how: 'drop' };
    case 'hang':
      return { kind: 'lost', how: 'silence' };
    default:
      return answer satisfies never;
  }
}

function struckBody({ status, body }: Extract<WireAnswer, { kind: 'status' }>): unknown {
  return body === 'json' ? { status, code: 0, message: 'Refused by a rule of the sandbox' } : undefined;
}
