import {
  ConnectorError,
  type DiagnosisRow,
  fault,
  type Finding,
  ok,
  runCheck,
  toConnectorError,
  warning,
} from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { z } from 'zod';
import {
  type BotStanding,
  type ChannelRights,
  channelRightsSchema,
  guildRightsSchema,
  isThread,
  memberRightsSchema,
  missingRights,
} from './channel-rights.js';
import { type DiscordConfig } from '../config.js';
import { DiscordRest } from '../platform/discord-rest.js';
import { tryUpgrade } from './gateway-upgrade.js';
import { intentsFor } from '../session/intents.js';
import { createSdkClient } from '../session/sdk-client.js';

/** "Application Flags": the message content intent, of a bot in fewer than 100 guilds, or granted by Discord. */
const MESSAGE_CONTENT_FLAGS = (1 << 18) | (1 << 19);

/** Session starts of the day; fewer than this and something restarts far too often. */
const FEW_SESSION_STARTS = 100;

/** Channel names that one row lists. */
const MOST_NAMES = 5;

/** "Channel Types" in a guild that people write in: text, voice, announcement, stage. */
const TEXT_CHANNELS: ReadonlySet<number> = new Set([0, 2, 5, 13]);

const userSchema = z.object({ id: z.string(), username: z.string() });
const applicationSchema = z.object({ flags: z.number().default(0) });
const gatewaySchema = z.object({
  url: z.url({ protocol: /^wss?$/ }),
  session_start_limit: z.object({ remaining: z.number(), total: z.number(), reset_after: z.number() }),
});

type Run = (check: string, work: (signal: AbortSignal) => Promise<Finding>) => Promise<DiagnosisRow>;

/**
 * As `Diagnosable.diagnose`: token, intents, session starts, gateway, guilds, and rights in the channels.
 *
 * The gateway is reached and left again without a login, so none of the day's session starts is used up.
 */
export async function* diagnoseDiscord(
  config: DiscordConfig,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): AsyncGenerator<DiagnosisRow> {
  const { apiUrl, botToken, requestTimeoutSeconds } = config;
  const requestTimeoutMs = requestTimeoutSeconds * 1_000;
  const sdk = await createSdkClient({
    apiUrl,
    clock,
    intents: intentsFor(config),
    random: Math.random,
    requestTimeoutMs,
  });
  try {
    const rest = new DiscordRest({
      api: sdk.client.rest,
      leaveBefore: sdk.leaveBefore,
      clock,
      token: botToken,
      logger,
      onTokenRefused: () => undefined,
    });
    const run: Run = (check, work) => runCheck({ check, clock, signal }, work);
    yield* new DiscordDiagnosis(config, rest, run).rows();
  } finally {
    await sdk.close();
  }
}

class DiscordDiagnosis {
  #botId = '';
  #gatewayUrl: string | undefined;
  readonly #standings = new Map<string, BotStanding>();

  constructor(
    private readonly config: DiscordConfig,
    private readonly rest: DiscordRest,
    private readonly run: Run,
  ) {}

  async *rows(): AsyncGenerator<DiagnosisRow> {
    const token = await this.run('token', async (signal) => {
      const { id, username } = await this.#get('/users/@me', userSchema, 'ask who the bot is', signal);
      this.#botId = id;
      return ok(`belongs to the bot ${username} (${id})`);
    });
    yield token;
    if (token.status === 'fault') return;
    yield await this.run('intents', async (signal) => {
      return judgeIntents(
        await this.#get('/applications/@me', applicationSchema, 'ask for the intents', signal),
      );
    });
    yield await this.run('session starts', async (signal) => {
      const gateway = await this.#get('/gateway/bot', gatewaySchema, 'ask for the gateway', signal);
      this.#gatewayUrl = gateway.url;
      return judgeSessionStarts(gateway.session_start_limit, this.config.sessionFloor);
    });
    const url = this.#gatewayUrl;
    if (url !== undefined) {
      yield await this.run('gateway', async (signal) => {
        await tryUpgrade(url, signal);
        return ok(`${new URL(url).host} takes WebSocket connections`);
      });
    }
    for (const guildId of this.config.guildIds) {
      yield await this.run(`guild ${guildId}`, (signal) => this.#checkGuild(guildId, signal));
    }
    for (const channelId of this.config.channelIds) {
      yield await this.run(`channel ${channelId}`, (signal) => this.#checkChannel(channelId, signal));
    }
  }

  async #checkGuild(guildId: string, signal: AbortSignal): Promise<Finding> {
    const doing = `look at guild ${guildId}`;
    const guild = await this.#get(`/guilds/${guildId}`, guildRightsSchema, doing, signal).catch(
      inNoGuild(guildId),
    );
    const bot = { userId: this.#botId, guild, roleIds: await this.#rolesIn(guild, signal) };
    this.#standings.set(guildId, bot);
    if (this.config.channelIds.length > 0) return ok(`the bot is in ${guild.name}`);
    const path = `/guilds/${guildId}/channels` as const;
    return judgeChannels(bot, await this.#get(path, z.array(channelRightsSchema), doing, signal));
  }

  /** The owner has every right, whatever the roles say. */
  async #rolesIn({ id, owner_id: ownerId }: BotStanding['guild'], signal: AbortSignal): Promise<string[]> {
    if (ownerId === this.#botId) return [];
    const path = `/guilds/${id}/members/${this.#botId}` as const;
    return (await this.#get(path, memberRightsSchema, `look for the bot in guild ${id}`, signal)).roles;
  }

  async #checkChannel(channelId: string, signal: AbortSignal): Promise<Finding> {
    const doing = `look at channel ${channelId}`;
    const channel = await this.#get(`/channels/${channelId}`, channelRightsSchema, doing, signal).catch(
      noChannel,
    );
    const name = `#${channel.name ?? channelId}`;
    const bot = this.#standings.get(channel.guild_id ?? '');
    if (bot === undefined) {
      return fault(
        `${name} is in none of the guilds that were found`,
        'correct DISCORD_CHANNELS or DISCORD_GUILD_ID',
      );
    }
    const parent =
      isThread(channel) && channel.parent_id
        ? await this.#get(`/channels/${channel.parent_id}`, channelRightsSchema, doing, signal)
        : channel;
    const missing = missingRights(bot, channel, parent);
    if (missing.length > 0)
      return fault(`${name}: the bot lacks ${missing.join(', ')}`, giveRights(missing, name));
    const query = new URLSearchParams({ limit: '1' });
    await this.rest.request(
      { method: 'GET', path: `/channels/${channelId}/messages`, query, signal },
      `read ${name}`,
    );
    return ok(`${name} can be read and written to`);
  }

  async #get<T>(path: `/${string}`, schema: z.ZodType<T>, doing: string, signal: AbortSignal): Promise<T> {
    const parsed = schema.safeParse(await this.rest.request({ method: 'GET', path, signal }, doing));
    if (parsed.success) return parsed.data;
    throw new ConnectorError('UPSTREAM_UNAVAILABLE', `${doing}: the answer cannot be read`, {
      hint: 'check DISCORD_API_URL',
    });
  }
}

/** Whether messages come with their content. Pure. */
export function judgeIntents({ flags }: { readonly flags: number }): Finding {
  if ((flags & MESSAGE_CONTENT_FLAGS) !== 0) return ok('message content is switched on');
  return fault(
    'message content is switched off: Discord refuses the login (close code 4014)',
    'switch on MESSAGE CONTENT INTENT in the Discord developer portal, under Bot, Privileged Gateway Intents',
  );
}

/** Whether the bot may still log in today. Pure. */
export function judgeSessionStarts(
  { remaining, reset_after: resetAfterMs, total }: z.infer<typeof gatewaySchema>['session_start_limit'],
  floor: number,
): Finding {
  const minutes = Math.ceil(resetAfterMs / 60_000);
  const found = `${remaining} of ${total} session starts are left, for ${minutes} minutes`;
  const cure = 'find out what restarts so often: Discord resets the token of a bot that uses them all up';
  if (remaining < floor)
    return fault(`${found}; ${floor} are kept in reserve`, `${cure}; or lower DISCORD_SESSION_FLOOR`);
  return remaining < FEW_SESSION_STARTS ? warning(found, cure) : ok(found);
}

/** Where the bot can work in a guild all of whose channels are read. Hidden channels are the guild's own affair. Pure. */
export function judgeChannels(bot: BotStanding, all: readonly ChannelRights[]): Finding {
  const channels = all.filter(({ type }) => TEXT_CHANNELS.has(type));
  const rights = channels.map((channel) => ({ channel, missing: missingRights(bot, channel, channel) }));
  const visible = rights.filter(({ missing }) => !missing.includes('View Channel'));
  const limited = visible.filter(({ missing }) => missing.length > 0);
  const found = `${bot.guild.name}: the bot sees ${visible.length} of ${channels.length} channels`;
  if (visible.length === 0)
    return fault(found, giveRights(['View Channel'], 'the channels that shall be read'));
  if (limited.length === 0) return ok(`${found}, and can read and write in them`);
  const names = limited.map(({ channel: { id, name } }) => `#${name ?? id}`);
  const shown = names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
  const missing = [...new Set(limited.flatMap((channel) => channel.missing))];
  return warning(`${found}, in some without ${missing.join(', ')}: ${shown}`, giveRights(missing, shown));
}

function giveRights(rights: readonly string[], where: string): string {
  return `give the bot's role ${rights.join(', ')} in ${where}`;
}

function noChannel(reason: unknown): never {
  const { code, message } = toConnectorError(reason);
  if (code !== 'TARGET_NOT_FOUND') throw reason;
  throw new ConnectorError(code, message, { hint: 'correct DISCORD_CHANNELS: there is no such channel' });
}

function inNoGuild(guildId: string): (reason: unknown) => never {
  return (reason) => {
    const error = toConnectorError(reason);
    if (error.code !== 'TARGET_NOT_FOUND' && error.code !== 'FORBIDDEN') throw error;
    throw new ConnectorError(error.code, `the bot is not in guild ${guildId}, or there is no such guild`, {
      hint: 'invite the bot to the guild, or correct DISCORD_GUILD_ID',
    });
  };
}
