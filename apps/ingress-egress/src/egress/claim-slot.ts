import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Slots in the store, and what each of them remembers: some thousand events that are done, which is hours of chat. */
const SLOTS = 256;
const DONE_PER_SLOT = 32;
/** Far more than are in hand at once (`BUS_MAX_IN_FLIGHT` over all slots): older ones are leftovers. */
const OPEN_PER_SLOT = 64;

/** The claim of one process on one event. */
export interface Mark {
  /**
   * `hand`: its process works on it. `left`: nobody does; something of it may exist on the platform. `settled`: its
   * outcome is known, and may have been published.
   */
  readonly phase: 'hand' | 'left' | 'settled';
  readonly instance: string;
  /** One per start of a process. */
  readonly epoch: string;
  /** Milliseconds since 1970 by the clock of the process. For people: clocks of two machines are never compared. */
  readonly startedAt: number;
  /** Processes that died with the event in hand. */
  readonly deaths: number;
  /** With `settled`: the outcome and how the claim ends, as JSON. */
  readonly settlement?: string;
}

/** The events of one slot, by hash. A draft: to be changed, then formatted. */
export interface Slot {
  /** Oldest first. */
  readonly done: Set<string>;
  readonly open: Map<string, Mark>;
}

/** Where an event's claim is kept. */
export interface Place {
  readonly slot: string;
  readonly hash: string;
}

/** @param key the event's idempotency key; any string, lone surrogates included */
export function placeOf(key: string): Place {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  return {
    slot: `egress-claim/${digest.readUInt8(31) % SLOTS}`,
    hash: digest.toString('base64url').slice(0, 16),
  };
}

const slotSchema = z.object({
  done: z.array(z.string()),
  open: z.array(
    z
      .tuple([
        z.string(),
        z.enum(['hand', 'left', 'settled']),
        z.string(),
        z.string(),
        z.number(),
        z.number(),
      ])
      .rest(z.string()),
  ),
});

/** An empty slot where the value is not one of ours. */
export function parseSlot(value: string | undefined): Slot {
  const slot: Slot = { done: new Set(), open: new Map() };
  if (value === undefined) return slot;
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return slot;
  }
  const parsed = slotSchema.safeParse(json);
  if (!parsed.success) return slot;
  for (const hash of parsed.data.done) slot.done.add(hash);
  for (const [hash, phase, instance, epoch, startedAt, deaths, settlement] of parsed.data.open) {
    const mark = { phase, instance, epoch, startedAt, deaths };
    slot.open.set(hash, settlement === undefined ? mark : { ...mark, settlement });
  }
  return slot;
}

/** The oldest entries beyond what a slot remembers are left out. */
export function formatSlot({ done, open }: Slot): string {
  return JSON.stringify({
    done: [...done].slice(-DONE_PER_SLOT),
    open: [...open]
      .slice(-OPEN_PER_SLOT)
      .map(([hash, { phase, instance, epoch, startedAt, deaths, settlement }]) => [
        hash,
        phase,
        instance,
        epoch,
        startedAt,
        deaths,
        ...(settlement === undefined ? [] : [settlement]),
      ]),
  });
}
