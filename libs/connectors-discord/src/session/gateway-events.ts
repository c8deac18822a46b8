import { z } from 'zod';
import { type ChannelEvent } from '../inbound/message-intake.js';
import {
  type NativeReference,
  toNativeMessage,
  toNativeReference,
  toNativeReferences,
} from '../platform/native-message.js';
import {
  type GuildSnapshot,
  type ReadyFacts,
  toGuildSnapshot,
  toReadyFacts,
} from '../platform/wire-guild.js';

/** What the gateway tells, or what keeps us from understanding it. */
export type GatewayNews =
  /** A session begins that replays nothing. Undefined: it cannot be read. */
  | { readonly kind: 'ready'; readonly ready: ReadyFacts | undefined }
  /** What was missed has been replayed. */
  | { readonly kind: 'resumed' }
  | { readonly kind: 'guild'; readonly guild: GuildSnapshot }
  /** An outage of the guild, or the end of the bot's membership. */
  | { readonly kind: 'guild-gone'; readonly guildId: string; readonly isOutage: boolean }
  | { readonly kind: 'channel-gone' | 'channel-changed'; readonly channelId: string }
  | { readonly kind: 'event'; readonly event: ChannelEvent; readonly guildId: string | undefined }
  /** An edit that does not bring the whole message. */
  | { readonly kind: 'partial-edit'; readonly message: NativeReference }
  /** A message that cannot be read. */
  | { readonly kind: 'unreadable' };

/** Dispatches of "Gateway Events" that are read. */
export const DISPATCHES = [
  'READY',
  'RESUMED',
  'GUILD_CREATE',
  'GUILD_DELETE',
  'CHANNEL_DELETE',
  'CHANNEL_UPDATE',
  'THREAD_DELETE',
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'MESSAGE_DELETE',
  'MESSAGE_DELETE_BULK',
] as const;

const goneGuildSchema = z.object({ id: z.string(), unavailable: z.boolean().default(false).catch(true) });
const channelSchema = z.object({ id: z.string() });

/** Reads a dispatch's data. Pure. */
export function readNews(dispatch: (typeof DISPATCHES)[number], wire: unknown): GatewayNews[] {
  switch (dispatch) {
    case 'READY':
      return [{ kind: 'ready', ready: toReadyFacts(wire) }];
    case 'RESUMED':
      return [{ kind: 'resumed' }];
    case 'GUILD_CREATE': {
      const guild = toGuildSnapshot(wire);
      return guild === undefined ? [] : [{ kind: 'guild', guild }];
    }
    case 'GUILD_DELETE': {
      const { data } = goneGuildSchema.safeParse(wire);
      return data === undefined ? [] : [{ kind: 'guild-gone', guildId: data.id, isOutage: data.unavailable }];
    }
    case 'CHANNEL_UPDATE': {
      const { data } = channelSchema.safeParse(wire);
      return data === undefined ? [] : [{ kind: 'channel-changed', channelId: data.id }];
    }
    case 'CHANNEL_DELETE':
    case 'THREAD_DELETE': {
      const { data } = channelSchema.safeParse(wire);
      return data === undefined ? [] : [{ kind: 'channel-gone', channelId: data.id }];
    }
    case 'MESSAGE_CREATE': {
      const message = toNativeMessage(wire);
      return [message === undefined ? { kind: 'unreadable' } : toNews({ kind: 'created', message })];
    }
    case 'MESSAGE_UPDATE': {
      const message = toNativeMessage(wire);
      if (message !== undefined) return [toNews({ kind: 'edited', message })];
      const reference = toNativeReference(wire);
      return [
        reference === undefined ? { kind: 'unreadable' } : { kind: 'partial-edit', message: reference },
      ];
    }
    case 'MESSAGE_DELETE': {
      const message = toNativeReference(wire);
      return [message === undefined ? { kind: 'unreadable' } : toNews({ kind: 'deleted', message })];
    }
    case 'MESSAGE_DELETE_BULK':
      return toNativeReferences(wire).map((message) => toNews({ kind: 'deleted', message }));
    default:
      return dispatch satisfies never;
  }
}

function toNews(event: ChannelEvent): GatewayNews {
  return { kind: 'event', event, guildId: event.message.guildId };
}
