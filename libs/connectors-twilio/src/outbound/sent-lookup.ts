import { LRUCache } from 'lru-cache';
import { propertyOf } from '../platform/property.js';
import { type TwilioRest } from '../platform/twilio-rest.js';

/** How many of a conversation's newest messages are searched for what was sent before. */
const LOOKUP_LIMIT = 1_000;

/** How many messages that were read before are read again: one may show up behind a newer one. They come in the same request as a rule. */
const OVERLAP = 50;

/** Messages of ours that are remembered, over all conversations. */
const REMEMBERED = 10_000;

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

/** What is known of a conversation: which of our messages stand in it, up to an index. */
interface Known {
  readonly newest: number;
  readonly sent: readonly SentMessage[];
}

interface SentMessage {
  readonly sid: string;
  readonly mark: SentMark;
}

/**
 * Finds what we, or a process before us, have sent. It remembers what it has read: after a start each send looks, and would read the same
 * thousand messages every time.
 */
export class SentLookup {
  readonly #known = new LRUCache<string, Known>({
    maxSize: REMEMBERED,
    sizeCalculation: ({ sent }) => 1 + sent.length,
  });

  /** @param identity the bot's: what others write in their attributes counts for nothing */
  constructor(
    private readonly rest: Pick<TwilioRest, 'newestMessages'>,
    private readonly identity: string,
  ) {}

  /** Whether it remembers what stood in a conversation before this process first wrote there: an earlier one may have sent an event that comes again. */
  hasRead(conversationSid: string): boolean {
    return this.#known.has(conversationSid);
  }

  /** As `find`, by what is remembered alone. */
  remembered(conversationSid: string, eventId: string): Map<number, string> {
    return partsOf(eventId, this.#known.get(conversationSid)?.sent ?? []).sids;
  }

  /** Parts of an event that stand in a conversation: SID by part. @throws ConnectorError */
  async find(conversationSid: string, eventId: string, signal?: AbortSignal): Promise<Map<number, string>> {
    const known = this.#known.get(conversationSid);
    const remembered = partsOf(eventId, known?.sent ?? []);
    if (remembered.isWhole) return remembered.sids;
    const readUntil = known?.newest ?? -1;
    const sent = new Map<string, SentMessage>();
    let newest = readUntil;
    let seen = 0;
    let seenBefore = 0;
    for await (const message of this.rest.newestMessages(conversationSid, signal)) {
      const { index, sid } = message;
      if (index <= readUntil) seenBefore += 1;
      if (seenBefore > OVERLAP) break;
      newest = Math.max(newest, index);
      const mark = message.author === this.identity ? markOf(message.attributes) : undefined;
      if (mark !== undefined) sent.set(sid, { sid, mark });
      seen += 1;
      if (seen >= LOOKUP_LIMIT) break;
      if (mark?.eventId !== eventId) continue;
      // What lies behind it was not read: nothing new is known of the conversation.
      const found = partsOf(eventId, sent.values());
      if (found.isWhole) return found.sids;
    }
    const before = (known?.sent ?? []).filter(({ sid }) => !sent.has(sid));
    const all = [...sent.values(), ...before].slice(0, LOOKUP_LIMIT);
    this.#known.set(conversationSid, { newest, sent: all });
    return partsOf(eventId, all).sids;
  }
}

function partsOf(
  eventId: string,
  sent: Iterable<SentMessage>,
): { readonly sids: Map<number, string>; readonly isWhole: boolean } {
  const sids = new Map<number, string>();
  let parts = Infinity;
  for (const { mark, sid } of sent) {
    if (mark.eventId !== eventId) continue;
    sids.set(mark.part, sid);
    parts = mark.parts;
  }
  return { sids, isWhole: sids.size >= parts };
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
