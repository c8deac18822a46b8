import { type ChannelEvent } from './message-intake.js';
import {
  type NativeReference,
  toNativeMessage,
  toNativeReference,
  toNativeReferences,
} from './native-message.js';

/** What the gateway tells of messages, or what keeps us from understanding it. */
export type MessageNews =
  | { readonly kind: 'event'; readonly event: ChannelEvent; readonly guildId: string | undefined }
  /** An edit that does not bring the whole message. */
  | { readonly kind: 'partial-edit'; readonly message: NativeReference }
  | { readonly kind: 'unreadable' };

/** Dispatches of "Gateway Events" that tell of messages. */
export const MESSAGE_DISPATCHES = [
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'MESSAGE_DELETE',
  'MESSAGE_DELETE_BULK',
] as const;

/** Reads a dispatch's data. Pure. */
export function readNews(dispatch: (typeof MESSAGE_DISPATCHES)[number], wire: unknown): MessageNews[] {
  switch (dispatch) {
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

function toNews(event: ChannelEvent): MessageNews {
  return { kind: 'event', event, guildId: event.message.guildId };
}
