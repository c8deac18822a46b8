import { z } from 'zod';
import { type ChatPlatform } from './chat-platform.js';
import { callSandbox } from './sandbox-call.js';

const PHONE = /^(?:whatsapp:)?\+\d+$/;

/** A phone number that is a name's own, so that `anna` is the same person tomorrow (FNV-1a, seven digits). */
function phoneOf(name: string): string {
  if (PHONE.test(name)) return name;
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name.toLowerCase())) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `+1555${String(hash % 10_000_000).padStart(7, '0')}`;
}

const smsReceipt = z.object({ conversationSid: z.string(), index: z.number() });
const smsMessages = z.array(z.object({ author: z.string(), body: z.string().nullable(), index: z.number() }));
const smsConversations = z.array(
  z.object({
    sid: z.string(),
    state: z.string(),
    participants: z.array(z.object({ address: z.string().nullable() })),
  }),
);

function createSms(url: string): ChatPlatform {
  return {
    name: 'sms',
    defaultPerson: '+15550100',
    start: '-1',
    hasRoomPerPerson: true,
    authorOf: phoneOf,
    roomOf: async (person) => {
      const phone = phoneOf(person);
      const all = smsConversations.parse(await callSandbox(`${url}/twilio/conversations`));
      const isOwn = ({ participants, state }: (typeof all)[number]): boolean =>
        state !== 'closed' && participants.some(({ address }) => address === phone);
      return all.find(isOwn)?.sid;
    },
    write: async (person, text) => {
      const receipt = smsReceipt.parse(
        await callSandbox(`${url}/twilio/messages`, { from: phoneOf(person), body: text }),
      );
      return { room: receipt.conversationSid, cursor: String(receipt.index) };
    },
    read: async (room, after, waitMs, signal) => {
      const path = `${url}/twilio/conversations/${room}/messages?after=${after}&waitMs=${waitMs}`;
      const messages = smsMessages.parse(await callSandbox(path, undefined, signal));
      return messages.map(({ author, body, index }) => ({ author, text: body ?? '', cursor: String(index) }));
    },
  };
}

const twitchReceipt = z.object({ id: z.string(), channel: z.string() });
const twitchMessages = z.array(z.object({ id: z.string(), login: z.string(), text: z.string() }));

function createTwitch(url: string): ChatPlatform {
  const channel = async (): Promise<string | undefined> => {
    const all = z.array(z.object({ name: z.string() })).parse(await callSandbox(`${url}/twitch/channels`));
    return all[0]?.name;
  };
  return {
    name: 'twitch',
    defaultPerson: 'viewer',
    start: '0',
    hasRoomPerPerson: false,
    authorOf: (person) => person.toLowerCase(),
    roomOf: channel,
    write: async (person, text) => {
      const body = { channel: (await channel()) ?? '', login: person.toLowerCase(), text };
      const receipt = twitchReceipt.parse(await callSandbox(`${url}/twitch/messages`, body));
      return { room: receipt.channel, cursor: receipt.id };
    },
    read: async (room, after, waitMs, signal) => {
      const path = `${url}/twitch/channels/${room}/messages?after=${after}&waitMs=${waitMs}`;
      const messages = twitchMessages.parse(await callSandbox(path, undefined, signal));
      return messages.map(({ id, login, text }) => ({ author: login, text, cursor: id }));
    },
  };
}

const discordReceipt = z.object({ id: z.string(), channelId: z.string() });
const discordMessages = z.array(
  z.object({ id: z.string(), content: z.string(), author: z.object({ name: z.string() }) }),
);
const discordChannels = z.array(
  z.object({ id: z.string(), guildId: z.string().nullable(), parentId: z.string().nullable() }),
);

function createDiscord(url: string): ChatPlatform {
  return {
    name: 'discord',
    defaultPerson: 'member',
    start: '0',
    hasRoomPerPerson: false,
    authorOf: (person) => person,
    roomOf: async () => {
      const all = discordChannels.parse(await callSandbox(`${url}/discord/channels`));
      return all.find(({ guildId, parentId }) => guildId !== null && parentId === null)?.id;
    },
    write: async (person, text) => {
      const body = { author: person, content: text };
      const receipt = discordReceipt.parse(await callSandbox(`${url}/discord/messages`, body));
      return { room: receipt.channelId, cursor: receipt.id };
    },
    read: async (room, after, waitMs, signal) => {
      const path = `${url}/discord/channels/${room}/messages?after=${after}&waitMs=${waitMs}`;
      const messages = discordMessages.parse(await callSandbox(path, undefined, signal));
      return messages.map(({ author, content, id }) => ({ author: author.name, text: content, cursor: id }));
    },
  };
}

/** The platforms of the sandbox at a URL, by name. */
export function chatPlatforms(url: string): ReadonlyMap<string, ChatPlatform> {
  return new Map(
    [createSms(url), createTwitch(url), createDiscord(url)].map((platform) => [platform.name, platform]),
  );
}
