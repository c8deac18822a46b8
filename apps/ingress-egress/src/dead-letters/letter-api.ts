import { egressTargetSchema } from '@bitbrat/envelope';
import { z } from 'zod';

/** One waiting letter as a list shows it: no message text, phone numbers masked. */
export const letterSummarySchema = z.object({
  id: z.string(),
  /** When it became a dead letter; RFC 3339, UTC. */
  occurredAt: z.string(),
  /** The error's code, e.g. `TIMEOUT`: what `replay --reason` takes. */
  code: z.string(),
  /** The error in words. */
  reason: z.string(),
  attempts: z.int(),
  /** The topic that the message came by. */
  topic: z.string(),
  /** Size of the original body in bytes. */
  bytes: z.int(),
  /** Only the beginning of the body was kept: it cannot be replayed. */
  truncated: z.boolean(),
  /** The event's id, where the body can be read. */
  event: z.string().optional(),
  /** Where it was to go, where the body can be read. */
  target: egressTargetSchema.optional(),
  /** The letter whose replay became this letter. */
  replayOf: z.string().optional(),
});

/** Answer to `GET /_debug/dead-letters`. */
export const letterListSchema = z.object({
  /** Oldest first. */
  letters: z.array(letterSummarySchema),
  /** False where more wait than were gathered. */
  complete: z.boolean(),
  /** Messages on the dead-letter topic that are no dead letters; they are left alone. */
  unreadable: z.int(),
});

/** Answer to `GET /_debug/dead-letters/{id}`. */
export const letterDetailSchema = letterSummarySchema.extend({
  attributes: z.record(z.string(), z.string()),
  /** What the message says of itself, without its text. */
  message: z
    .object({
      characters: z.int(),
      attachments: z.int(),
      correlationId: z.string(),
      inReplyTo: z.string().optional(),
      expiresAt: z.string().optional(),
    })
    .optional(),
  /** The original body as text; in full only. */
  body: z.string().optional(),
  /** The original body where it is no UTF-8; in full only. */
  bodyBase64: z.string().optional(),
});

/** Why a letter was not replayed. It keeps waiting where it was waiting. */
export const refusalSchema = z.object({
  id: z.string(),
  /** `NOT_WAITING`, `TRUNCATED`, `EXPIRED`, `UNKNOWN_ORIGIN`, or what the bus says, e.g. `ABORTED`. */
  code: z.string(),
  reason: z.string(),
});

/** Which letters to replay: by their ids, or all with this error code. Body of `POST /_debug/dead-letters/replay`. */
export const replaySelectionSchema = z.union(
  [
    z.strictObject({ ids: z.array(z.string().min(1)).min(1).max(1_000) }),
    z.strictObject({ reason: z.string().min(1) }),
  ],
  'expected {"ids": ["…"]} with 1 to 1000 ids, or {"reason": "TIMEOUT"}',
);

/** Answer to `POST /_debug/dead-letters/replay`. */
export const replayReportSchema = z.object({
  /** The bus has the message again, and the letter is gone. */
  replayed: z.array(z.object({ id: z.string(), topic: z.string(), messageId: z.string() })),
  /** Asked for again after this process had replayed them: nothing was done. */
  alreadyReplayed: z.array(z.string()),
  refused: z.array(refusalSchema),
  /** False where more wait than were gathered: ask again. */
  complete: z.boolean(),
});

export type LetterSummary = z.infer<typeof letterSummarySchema>;
export type LetterList = z.infer<typeof letterListSchema>;
export type LetterDetail = z.infer<typeof letterDetailSchema>;
export type Refusal = z.infer<typeof refusalSchema>;
export type ReplaySelection = z.infer<typeof replaySelectionSchema>;
export type ReplayReport = z.infer<typeof replayReportSchema>;
