import { type Sandbox, type SandboxOptions } from '@bitbrat/sandbox';

/** One platform as a soak drives it: a fixed number of channels in which people write by turns. */
export interface SoakPlatform {
  readonly name: string;
  readonly channels: number;
  /** This platform's part of all that people write, against the others'. */
  readonly weight: number;
  /** Every so manieth message is answered. */
  readonly answerEvery: number;
  /** Answers a second that the platform takes from a bot; Infinity where it takes more than a soak sends. */
  readonly answerRate: number;
  /** Of the service, to reach it. */
  environment(): Record<string, string>;
  /** Somebody writes. @param channel from 0 @returns what the envelope must name */
  write(channel: number, text: string): Promise<{ readonly id: string; readonly channelId: string }>;
  /** What the bot has written in a channel since this was last asked, in the platform's order. */
  newAnswers(channel: number): readonly string[];
  /** Deletes some of the channels that people come and go by; each is there again, as a new one, when somebody writes in it. */
  renewSome(): void;
}

/** Messages that a platform's stand-in keeps per channel: many more than are under way. */
const HISTORY = 200;

const TWILIO_CHANNELS = 100;
/** Channels of a server, then direct ones, then threads. */
const DISCORD_CHANNELS = Array.from({ length: 30 }, (_, i) => ({
  id: `2000000000000000${String(i).padStart(2, '0')}`,
  name: `channel-${i}`,
}));
const DISCORD_DIRECT = 10;
const DISCORD_THREADS = 20;
const TWITCH_CHANNELS = ['first', 'second', 'third', 'fourth', 'fifth'];

/** How the sandbox is set up for a soak, but for the webhooks, which wait for the service's address. */
export function soakSandboxOptions(): SandboxOptions {
  return {
    twilio: { historyLimit: HISTORY },
    discord: { channels: DISCORD_CHANNELS, historyLimit: HISTORY },
    twitch: { channels: TWITCH_CHANNELS, historyLimit: HISTORY },
  };
}

/**
 * The platforms of a sandbox, whose webhooks go to the service from now on.
 * @param serviceUrl where the service listens
 * @param replaceAfter messages after which Twilio's client is replaced
 */
export function createSoakPlatforms(
  { discord, twilio, twitch }: Sandbox,
  serviceUrl: string,
  replaceAfter: number,
): readonly SoakPlatform[] {
  const webhookUrl = `${serviceUrl}/webhooks/twilio`;
  twilio.setWebhookUrl(webhookUrl);
  return [
    twilioPlatform(twilio, {
      TWILIO_WEBHOOK_URL: webhookUrl,
      TWILIO_REPLACE_CLIENT_AFTER_MESSAGES: String(replaceAfter),
    }),
    discordPlatform(discord),
    twitchPlatform(twitch),
  ];
}

/** Conversations and threads that go at a time. */
const RENEWED_CONVERSATIONS = 5;
const RENEWED_THREADS = 2;

/** SMS and WhatsApp: a conversation per person. */
function twilioPlatform(sandbox: Sandbox['twilio'], settings: Record<string, string>): SoakPlatform {
  const conversations = new Map<number, { readonly sid: string; seen: number }>();
  const bot = sandbox.environment()['TWILIO_IDENTITY'];
  return {
    name: 'twilio',
    channels: TWILIO_CHANNELS,
    weight: 4,
    answerEvery: 8,
    answerRate: Infinity,
    environment: () => ({ ...sandbox.environment(), ...settings }),
    write: async (channel, text) => {
      const number = `+1555${String(channel).padStart(7, '0')}`;
      const from = channel % 5 === 4 ? `whatsapp:${number}` : number;
      const { conversationSid: sid, messageSid } = await sandbox.receiveMessage({ from, body: text });
      if (!conversations.has(channel)) conversations.set(channel, { sid, seen: -1 });
      return { id: `twilio:${messageSid}`, channelId: sid };
    },
    newAnswers: (channel) => {
      const conversation = conversations.get(channel);
      if (conversation === undefined) return [];
      const messages = sandbox.messages(conversation.sid, conversation.seen);
      conversation.seen = messages.at(-1)?.index ?? conversation.seen;
      return messages.flatMap(({ author, body }) => (author === bot ? [body ?? ''] : []));
    },
    renewSome: () => {
      for (const [channel, { sid }] of [...conversations].slice(0, RENEWED_CONVERSATIONS)) {
        sandbox.deleteConversation(sid);
        conversations.delete(channel);
      }
    },
  };
}

function discordPlatform(sandbox: Sandbox['discord']): SoakPlatform {
  const channels = new Map<number, { readonly id: string; seen: string }>();
  const [parent] = DISCORD_CHANNELS;
  const openThread = (channel: number): string =>
    sandbox.createChannel({ name: `thread of ${channel}`, parentId: parent?.id }).id;
  const isThread = (channel: number): boolean => channel >= DISCORD_CHANNELS.length + DISCORD_DIRECT;
  const placeOf = (channel: number): { channelId: string } | { dm: true } => {
    if (isThread(channel)) return { channelId: channels.get(channel)?.id ?? openThread(channel) };
    const known = DISCORD_CHANNELS[channel];
    return known === undefined ? { dm: true } : { channelId: known.id };
  };
  return {
    name: 'discord',
    channels: DISCORD_CHANNELS.length + DISCORD_DIRECT + DISCORD_THREADS,
    weight: 4,
    answerEvery: 12,
    answerRate: Infinity,
    environment: () => ({ ...sandbox.environment(), DISCORD_SESSION_FLOOR: '0' }),
    write: (channel, text) => {
      const place = placeOf(channel);
      const { channelId, id } = sandbox.receiveMessage({
        author: `person-${channel}`,
        content: text,
        ...place,
      });
      if (!channels.has(channel)) channels.set(channel, { id: channelId, seen: '0' });
      return Promise.resolve({ id: `discord:${id}`, channelId });
    },
    newAnswers: (channel) => {
      const place = channels.get(channel);
      if (place === undefined) return [];
      const messages = sandbox.messages(place.id, place.seen);
      place.seen = messages.at(-1)?.id ?? place.seen;
      return messages.flatMap(({ content, fromBot }) => (fromBot ? [content] : []));
    },
    renewSome: () => {
      const threads = [...channels].filter(([channel]) => isThread(channel));
      for (const [channel, { id }] of threads.slice(0, RENEWED_THREADS)) {
        sandbox.deleteChannel(id);
        channels.delete(channel);
      }
    },
  };
}

/** Chat. The bot is an ordinary user, from whom Twitch takes 20 lines in 30 seconds over all channels. */
function twitchPlatform(sandbox: Sandbox['twitch']): SoakPlatform {
  const seen = new Map<string, number>();
  const nameOf = (channel: number): string => TWITCH_CHANNELS[channel] ?? '';
  return {
    name: 'twitch',
    channels: TWITCH_CHANNELS.length,
    weight: 2,
    answerEvery: 10,
    answerRate: 0.5,
    environment: () => sandbox.environment(),
    write: (channel, text) => {
      const name = nameOf(channel);
      const { id } = sandbox.receiveMessage({ channel: name, login: `person_${channel}`, text });
      return Promise.resolve({ id: `twitch:${id}`, channelId: sandbox.channel(name).roomId });
    },
    newAnswers: (channel) => {
      const name = nameOf(channel);
      const messages = sandbox.messages(name, seen.get(name) ?? 0);
      seen.set(name, messages.at(-1)?.seq ?? seen.get(name) ?? 0);
      return messages.flatMap(({ text, via }) => (via === 'irc' ? [text] : []));
    },
    renewSome: () => undefined,
  };
}
