import { propertyOf } from './property.js';
import { type RestMessage } from './twilio-rest.js';

/** How many of a conversation's newest messages are searched for what was sent before. */
const LOOKUP_LIMIT = 1_000;

/** Stands in the attributes of each message that we send, under `bitbrat`. */
export interface SentMark {
  readonly eventId: string;
  /** From 1. */
  readonly part: number;
  readonly parts: number;
  /** The egress event's, so that what the platform tells later can be matched, too. */
  readonly correlationId?: string;
}

/** Bytes of a message's attributes (Conversations limits page: 4 KB). */
const MAX_ATTRIBUTES_BYTES = 4_096;

/** Attributes that carry the mark; without the correlation id where it is too long for them. */
export function toAttributes(mark: SentMark): { bitbrat: Record<string, string | number> } {
  const { eventId, part, parts } = mark;
  const fits = Buffer.byteLength(JSON.stringify({ bitbrat: mark })) <= MAX_ATTRIBUTES_BYTES;
  return { bitbrat: fits ? { ...mark } : { eventId, part, parts } };
}

/**
 * Parts of an event that stand in a conversation: SID by part.
 * @param newest the conversation's messages, the newest first
 * @param identity the bot's: what others write in their attributes counts for nothing
 * @throws what `newest` throws
 */
export async function findSentParts(
  newest: AsyncIterable<RestMessage>,
  identity: string,
  eventId: string,
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  let seen = 0;
  let parts = Infinity;
  for await (const message of newest) {
    const mark = message.author === identity ? markOf(message.attributes) : undefined;
    if (mark?.eventId === eventId) {
      found.set(mark.part, message.sid);
      parts = mark.parts;
    }
    seen += 1;
    if (seen >= LOOKUP_LIMIT || found.size >= parts) break;
  }
  return found;
}

/** The mark in a message's attributes, where it is one of ours. */
export function markOf(attributes: string | null | undefined): SentMark | undefined {
  let json: unknown;
  try {
    json = JSON.parse(attributes ?? '');
  } catch {
    return undefined;
  }
  const mark = propertyOf(json, 'bitbrat');
  const eventId = propertyOf(mark, 'eventId');
  const part = propertyOf(mark, 'part');
  const parts = propertyOf(mark, 'parts');
  if (typeof eventId !== 'string' || typeof part !== 'number' || typeof parts !== 'number') return undefined;
  const correlationId = propertyOf(mark, 'correlationId');
  return { eventId, part, parts, ...(typeof correlationId === 'string' ? { correlationId } : {}) };
}
