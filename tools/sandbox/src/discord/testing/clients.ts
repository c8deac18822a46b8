import { Client as DiscordJs, type ClientEvents, GatewayIntentBits, Partials } from 'discord.js';
import { Client as Oceanic } from 'oceanic.js';
import { type Sandbox } from '../../sandbox-server.js';
import { discordDefaults } from '../discord-options.js';

/** Milliseconds after which a wait for a client fails; far more than any of them needs. */
const TIMEOUT_MS = 15_000;

const discordJsIntents = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
];

/** An unmodified discord.js client of the sandbox, not yet logged in. */
export function createDiscordJs(
  sandbox: Sandbox,
  intents: readonly GatewayIntentBits[] = discordJsIntents,
): DiscordJs {
  const client = new DiscordJs({
    intents,
    partials: [Partials.Channel, Partials.Message],
    rest: { api: `${sandbox.url}/api` },
    // The client spaces its IDENTIFYs by 5 s, which tests nothing of ours.
    ws: { buildIdentifyThrottler: () => Promise.resolve({ waitForIdentify: () => Promise.resolve() }) },
  });
  client.on('error', () => undefined);
  client.on('shardError', () => undefined);
  return client;
}

/** Logs in and waits for the guild. */
export async function loginDiscordJs(sandbox: Sandbox): Promise<DiscordJs> {
  const client = createDiscordJs(sandbox);
  const ready = nextEvent(client, 'clientReady');
  await client.login(discordDefaults.token);
  await ready;
  return client;
}

/** The first event of a kind that `accept` accepts, from now on. Rejects after 15 s. */
export function nextEvent<E extends keyof ClientEvents>(
  client: DiscordJs,
  event: E,
  accept: (...values: ClientEvents[E]) => boolean = () => true,
): Promise<ClientEvents[E]> {
  return new Promise((resolve, reject) => {
    const listener = (...values: ClientEvents[E]): void => {
      if (!accept(...values)) return;
      clearTimeout(timer);
      client.off(event, listener);
      resolve(values);
    };
    const timer = setTimeout(() => {
      client.off(event, listener);
      reject(new Error(`discord.js emitted no ${event} within ${TIMEOUT_MS} ms.`));
    }, TIMEOUT_MS);
    client.on(event, listener);
  });
}

/** An unmodified oceanic.js client of the sandbox that has connected. */
export async function connectOceanic(sandbox: Sandbox): Promise<Oceanic> {
  const client = new Oceanic({
    auth: `Bot ${discordDefaults.token}`,
    rest: { baseURL: `${sandbox.url}/api/v10` },
    gateway: {
      intents: ['GUILDS', 'GUILD_MESSAGES', 'DIRECT_MESSAGES', 'MESSAGE_CONTENT'],
      compress: false,
      maxShards: 1,
    },
  });
  client.on('error', () => undefined);
  const ready = new Promise<void>((resolve) => {
    client.once('ready', resolve);
  });
  await client.connect();
  await ready;
  return client;
}
