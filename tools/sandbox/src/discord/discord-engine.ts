import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { FaultRules, seededRandom } from '../fault-rules.js';
import { type PlatformContext } from '../platform.js';
import { WaitList } from '../wait-list.js';
import { DiscordModel } from './model/discord-model.js';
import { type DiscordSandboxOptions } from './discord-options.js';
import { type ArmedFault } from './fault-schema.js';
import { FaultSwitch } from './fault-switch.js';
import { type EventContext, toGatewayEvent, toMessageView } from './wire/gateway-events.js';
import { isOut } from './wire/gateway-connection.js';
import { closeCodes } from './wire/gateway-frames.js';
import { GatewayServer } from './wire/gateway-server.js';
import { HeldReplies } from './wire/held-replies.js';
import { NonceRegister } from './model/nonces.js';
import { InvalidRequestCounter, RateLimiter } from './rest/rate-limits.js';
import { type Message } from './model/records.js';
import { type RestContext } from './rest/rest-api.js';
import { RestGate } from './rest/rest-gate.js';
import { SessionStore } from './wire/session-store.js';
import { SnowflakeSource } from './model/snowflake.js';
import { Traffic } from './model/traffic.js';

/** The parts of the local Discord, wired. */
export interface DiscordEngine {
  readonly model: DiscordModel;
  readonly sessions: SessionStore;
  readonly gateway: GatewayServer;
  readonly rest: RestContext;
  readonly faults: FaultSwitch;
  readonly heldReplies: HeldReplies;
  readonly invalidRequests: InvalidRequestCounter;
  readonly traffic: Traffic<'rest' | 'gateway'>;
  /** Told of every change. */
  readonly waits: WaitList;
  /** The bot's token at this moment: it is a new one after it was reset. */
  token(): string;
  /** Base of the attachments' URLs. */
  cdnUrl(): string;
  /** Ends all sockets, waits and requests. */
  close(): void;
}

/** Milliseconds over which Discord counts requests for its global limit, and invalid ones for its ban. */
const GLOBAL_WINDOW_MS = 1_000;
const INVALID_WINDOW_MS = 600_000;

/** Makes and wires the parts. Nothing listens yet. */
export function createDiscordEngine(options: DiscordSandboxOptions, context: PlatformContext): DiscordEngine {
  const now = Date.now;
  const { privilegedIntents } = options;
  const stopped = new AbortController();
  // Each request that a fault delays listens to it, however many there are.
  setMaxListeners(0, stopped.signal);
  const waits = new WaitList();
  const changed = (): void => {
    waits.notify();
  };
  let token = options.token;
  const isToken = (given: string): boolean => given === token;
  const gatewayUrl = (): string => context.origin().replace(/^http/, 'ws');
  const cdnUrl = (): string => `${context.origin()}/discord/cdn`;
  const traffic = new Traffic(['rest', 'gateway']);
  const rules = new FaultRules<ArmedFault>(now, seededRandom(options.seed), changed);
  const sessions = new SessionStore(options, now);
  const invalidRequests = new InvalidRequestCounter(now, options.invalidRequestLimit, INVALID_WINDOW_MS);
  const heldReplies = new HeldReplies();
  const model = createModel(options);
  const events = (): EventContext => ({ model, cdnUrl: cdnUrl() });
  const gateway = new GatewayServer({
    model,
    sessions,
    faults: rules,
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    privilegedIntents,
    now,
    gatewayUrl,
    isToken,
    wire: context.wire,
    resetToken: () => {
      token = `sandbox-${randomBytes(12).toString('hex')}`;
      for (const session of sessions.sessions()) sessions.remove(session);
      gateway.closeAll(closeCodes.authenticationFailed, 'The token was reset');
    },
    count: (name) => {
      traffic.count('gateway', name);
    },
    changed,
  });
  model.onChange((change) => {
    const event = toGatewayEvent(change, events());
    const isKept = event?.guildId !== undefined && isOut({ faults: rules }, event.guildId);
    if (event !== undefined && !isKept) gateway.publish(event);
    changed();
  });
  const gate = new RestGate({
    faults: rules,
    channelLimits: new RateLimiter(now, options.channelLimit, options.channelWindowMs),
    globalLimits: new RateLimiter(now, options.globalLimit, GLOBAL_WINDOW_MS),
    invalidRequests,
    signal: stopped.signal,
    isToken,
    count: (name) => {
      traffic.count('rest', name);
      changed();
    },
  });
  const rest: RestContext = {
    gate,
    model,
    nonces: new NonceRegister<Message>(now, options.nonceTtlMs),
    maxUploadBytes: options.maxUploadBytes,
    privilegedIntents,
    view: () => toMessageView(events(), privilegedIntents.includes('MESSAGE_CONTENT')),
    gatewayInfo: () => ({ url: gatewayUrl(), shards: 1, session_start_limit: sessions.startLimit() }),
    hold: (reply) => {
      heldReplies.hold(reply);
      changed();
    },
  };
  return {
    model,
    sessions,
    gateway,
    rest,
    faults: new FaultSwitch(rules, gateway, heldReplies),
    heldReplies,
    invalidRequests,
    traffic,
    waits,
    token: () => token,
    cdnUrl,
    close: () => {
      stopped.abort();
      gateway.close();
      waits.close();
      heldReplies.drop();
    },
  };
}

/** The state at the start: the bot, its guild and the guild's channels. */
function createModel(options: DiscordSandboxOptions): DiscordModel {
  const bot = { id: options.applicationId, username: options.botUsername, kind: 'bot' } as const;
  const model = new DiscordModel(bot, new SnowflakeSource(Date.now), Date.now, options.historyLimit);
  const guild = model.addGuild(options.guildName, options.guildId);
  for (const { id, name } of options.channels) model.addChannel({ id, name, kind: 'text', guild });
  return model;
}
