import { z } from 'zod';
import { metadataSchema } from './json.js';

/** The version of the contract that this library writes and reads; part of the topic names too. */
export const ENVELOPE_VERSION = '1';

/** What became of a message on the platform. An edit or a deletion names the message it is about in `metadata`. */
export const ingressTypeSchema = z.enum([
  'chat.message.v1',
  'chat.message.edited.v1',
  'chat.message.deleted.v1',
]);

/**
 * A connector's name. Open on purpose: a new connector leaves this library alone.
 *
 * Lower-case letters, digits and hyphens, starting with a letter, 32 characters at most.
 */
export const connectorNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a connector name');

/** RFC 3339 in UTC, as `Date.prototype.toISOString` writes it. */
export const timestampSchema = z.iso.datetime({ offset: false });

export const attachmentSchema = z.looseObject({
  /** Where the bytes are. Some platforms hand out links that expire: fetch soon. */
  url: z.url({ protocol: /^https?$/ }),
  /** MIME type, e.g. `image/png`. */
  contentType: z.string().optional(),
  fileName: z.string().optional(),
  /** Size in bytes. */
  size: z.int().nonnegative().optional(),
});

export const senderSchema = z.looseObject({
  /** The platform's stable identity of the sender. */
  id: z.string().min(1),
  displayName: z.string(),
  /** The unique name that people type, where the platform has one apart from `id`. */
  login: z.string().optional(),
  /** The platform's own words: `moderator`, `broadcaster`, a role's name. */
  roles: z.array(z.string()),
  isBot: z.boolean(),
});

export const channelSchema = z.looseObject({
  id: z.string().min(1),
  kind: z.enum(['conversation', 'channel', 'direct', 'thread']),
  name: z.string().optional(),
});

/** Copy it into an egress event and the answer arrives where the message came from. */
export const replyToSchema = z.looseObject({
  /** Full name of the bus topic, prefix included, on which the instance that published this listens. */
  topic: z.string().min(1),
  connector: connectorNameSchema,
  /** What the connector's `sendText` takes as its destination. */
  destination: z.string().min(1).max(256),
  /** The platform's id of the message that is answered. */
  inReplyTo: z.string().optional(),
});

/** One message from a platform, as it travels on `internal.ingress.v1`. Unknown fields are kept. */
export const ingressEnvelopeSchema = z.looseObject({
  v: z.literal(ENVELOPE_VERSION),
  /**
   * `{source}:{native message id}`: the same message has the same id whoever reads it, however often.
   * The limit leaves room for `reply:` in the 256 characters of an egress event's id, and the id fits an attribute.
   */
  id: z.string().min(3).max(250),
  type: ingressTypeSchema,
  source: connectorNameSchema,
  /** Phone number in E.164, Twitch user id, Discord user id. */
  from: z.string().min(1),
  sender: senderSchema,
  channel: channelSchema,
  /** The message's body; `''` where it has none. */
  text: z.string(),
  attachments: z.array(attachmentSchema),
  /** The platform's time. */
  occurredAt: timestampSchema,
  /** Ours. */
  receivedAt: timestampSchema,
  /** A UUID derived from `id`, so that a repeated delivery carries the same one. */
  correlationId: z.uuid(),
  replyTo: replyToSchema,
  metadata: metadataSchema,
});

export type IngressType = z.infer<typeof ingressTypeSchema>;
export type Attachment = z.infer<typeof attachmentSchema>;
export type Sender = z.infer<typeof senderSchema>;
export type Channel = z.infer<typeof channelSchema>;
export type ReplyTo = z.infer<typeof replyToSchema>;
export type IngressEnvelope = z.infer<typeof ingressEnvelopeSchema>;
