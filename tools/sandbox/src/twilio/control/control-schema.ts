import { z } from 'zod';

/** A phone's address: E.164, for WhatsApp with the prefix `whatsapp:`. */
const address = z.string().regex(/^(whatsapp:)?\+[1-9]\d{6,14}$/, {
  error: 'expected a phone number like +15550100, or whatsapp:+15550100',
});
const conversationSid = z.string().regex(/^CH[0-9a-f]{32}$/, {
  error: 'expected a conversation SID: CH and 32 hexadecimal digits',
});
const attributes = z.record(z.string(), z.json());

/** An inbound message: from a phone, or (with `author`) from a chat participant. */
export const inboundMessageSchema = z
  .strictObject({
    /** The phone that writes. */
    from: address.optional(),
    /** The chat participant that writes, by identity; needs `conversationSid`. */
    author: z.string().min(1).optional(),
    /** The Twilio number written to; the sandbox's number when left out. */
    to: address.optional(),
    body: z.string().optional(),
    conversationSid: conversationSid.optional(),
    /** A file to fetch, from this machine only. */
    mediaUrl: z.url({ error: 'expected a URL' }).optional(),
    /** A file in the request itself; beside `mediaUrl` it stands in for fetching it. */
    media: z
      .strictObject({
        contentType: z.string().regex(/^[\w.+-]+\/[\w.+-]+$/, { error: 'expected a type like image/png' }),
        filename: z.string().min(1).optional(),
        base64: z.base64({ error: 'expected base64' }).min(4),
      })
      .optional(),
    attributes: attributes.optional(),
    /** When it was written, RFC 3339 in UTC; now when left out. For messages older than a reader's bound. */
    dateCreated: z.iso.datetime({ error: 'expected a time like 2026-01-31T12:00:00Z' }).optional(),
  })
  .refine((message) => (message.from === undefined) !== (message.author === undefined), {
    path: ['from'],
    error: 'expected either from (a phone number) or author (a chat identity)',
  })
  .refine((message) => message.author === undefined || message.conversationSid !== undefined, {
    path: ['conversationSid'],
    error: 'needed with author',
  })
  .refine(
    (message) => (message.body ?? '') !== '' || message.media !== undefined || message.mediaUrl !== undefined,
    { path: ['body'], error: 'a message needs a body, media or mediaUrl' },
  );

/** A participant to add: by chat identity, or by phone. */
export const participantSchema = z
  .strictObject({
    identity: z.string().min(1).optional(),
    address: address.optional(),
    proxyAddress: address.optional(),
    attributes: attributes.optional(),
  })
  .refine((who) => (who.identity === undefined) !== (who.address === undefined), {
    path: ['identity'],
    error: 'expected either identity or address',
  });

/** A conversation to create. */
export const conversationSchema = z.strictObject({
  friendlyName: z.string().max(256).optional(),
  uniqueName: z.string().min(1).optional(),
  attributes: attributes.optional(),
  participants: z.array(participantSchema).default([]),
});

/** A conversation's new state. */
export const conversationStateSchema = z.strictObject({ state: z.enum(['active', 'inactive', 'closed']) });

/** Twilio's clock against this machine's, in milliseconds; positive: ahead. */
export const clockSchema = z.strictObject({ offsetMs: z.int() });

/** A number that opts out, or in again. */
export const optOutSchema = z.strictObject({ address, optedOut: z.boolean() });

/** What became of a message on its way to the phone. */
export const deliverySchema = z.strictObject({
  status: z.enum(['sent', 'delivered', 'read', 'failed', 'undelivered']),
  errorCode: z.int().min(0).default(0),
});

/** Where webhooks go and how they are written; a null URL turns them off. */
export const webhookTargetSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL, or null' }).nullable(),
  format: z.enum(['form', 'json']).optional(),
});

/** An inbound message as a caller writes it. */
export type InboundMessage = z.input<typeof inboundMessageSchema>;
/** A participant as a caller writes it. */
export type ParticipantInput = z.input<typeof participantSchema>;
/** A conversation as a caller writes it. */
export type ConversationInput = z.input<typeof conversationSchema>;
/** A change of state as a caller writes it. */
export type ConversationStateInput = z.input<typeof conversationStateSchema>;
/** A delivery report as a caller writes it. */
export type DeliveryInput = z.input<typeof deliverySchema>;
