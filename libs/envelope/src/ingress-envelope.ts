import { z } from 'zod';
import { metadataSchema } from './json.js';

/** The version of the contract that this library writes and reads; part of the topic names too. */
export const ENVELOPE_VERSION = '1';

/** The field `v` of every message. */
export const versionSchema = z
  .literal(ENVELOPE_VERSION)
  .describe('Version of the contract. A reader takes the versions it knows and nothing else.');

/** What happened on the platform. */
export const ingressTypeSchema = z.enum([
  'chat.message.v1',
  'chat.message.edited.v1',
  'chat.message.deleted.v1',
  'contact.consent.v1',
]);

/** A connector's name. Open on purpose: a new connector leaves this library alone. */
export const connectorNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a connector name')
  .meta({
    id: 'ConnectorName',
    description:
      'Name of a connector, e.g. `twilio`, `twitch`, `discord`: lower-case letters, digits and hyphens, first a letter, 32 characters at most. The set is open.',
  });

/** A point in time, as `Date.prototype.toISOString` writes it. */
export const timestampSchema = z.iso.datetime({ offset: false }).meta({
  id: 'Timestamp',
  description: 'RFC 3339 in UTC, with a `Z`: `2026-11-20T07:40:31.592Z`.',
});

/** A file that belongs to a message. */
export const attachmentSchema = z
  .looseObject({
    url: z.url({ protocol: /^https?$/ }).meta({
      pattern: '^[Hh][Tt][Tt][Pp][Ss]?:',
      description:
        'Where the bytes are, by `http` or `https`. Some platforms hand out links that expire: fetch soon.',
    }),
    contentType: z.string().optional().describe('MIME type, e.g. `image/png`.'),
    fileName: z.string().optional().describe('Name that the sender gave the file.'),
    size: z.int().nonnegative().optional().describe('Size in bytes.'),
  })
  .meta({ id: 'Attachment', description: 'A file that belongs to a message.' });

/** Who wrote a message. */
export const senderSchema = z
  .looseObject({
    id: z.string().min(1).describe("The platform's stable identity of the sender."),
    displayName: z.string().describe('The name that people see.'),
    login: z
      .string()
      .optional()
      .describe('The unique name that people type, where the platform has one apart from `id`.'),
    roles: z
      .array(z.string())
      .describe("The sender's roles in the channel, in the platform's words: `moderator`, a role's name."),
    isBot: z.boolean().describe('True where the platform says that a program wrote the message.'),
  })
  .meta({ id: 'Sender', description: 'Who wrote the message.' });

/** Where a message was written. */
export const channelSchema = z
  .looseObject({
    id: z.string().min(1).describe("The platform's id of the channel."),
    kind: z
      .enum(['conversation', 'channel', 'direct', 'thread'])
      .describe(
        '`conversation`: SMS or WhatsApp; `channel`: public to its members; `direct`: with one person; `thread`: a branch of a channel.',
      ),
    name: z.string().optional().describe('What people call it.'),
  })
  .meta({ id: 'Channel', description: 'Where the message was written.' });

/** How an answer finds its way. */
export const replyToSchema = z
  .looseObject({
    topic: z
      .string()
      .min(1)
      .describe(
        'Full name of the bus topic, prefix included, on which the instance that published this listens. Publish the answer there.',
      ),
    connector: connectorNameSchema.describe('Becomes `target.connector` of the answer.'),
    destination: z.string().min(1).max(256).describe('Becomes `target.destination` of the answer.'),
    inReplyTo: z
      .string()
      .optional()
      .describe("The platform's id of this message; becomes `inReplyTo` of the answer."),
  })
  .meta({
    id: 'ReplyTo',
    description: 'Copy it into an egress event and the answer arrives where the message came from.',
  });

/** One message from a platform, as it travels on `internal.ingress.v1`. Unknown fields are kept. */
export const ingressEnvelopeSchema = z
  .looseObject({
    v: versionSchema,
    // The limit leaves room for `reply:` in the 256 characters of an egress event's id.
    id: z
      .string()
      .min(3)
      .max(250)
      .describe(
        '`{source}:{native message id}`, of an edit or a deletion with a revision behind it. The same happening has the same id whoever reads it, however often: deduplicate by it.',
      ),
    type: ingressTypeSchema.describe(
      '`chat.message.v1`: written; `chat.message.edited.v1`: `text` is the new text; `chat.message.deleted.v1`: gone, `text` is empty; `contact.consent.v1`: follows a message that is STOP, START, HELP or the like, or a refusal by the platform to send to somebody who has opted out: `metadata.consent` is `out` (wants no messages any more), `in` (wants them again) or `help`, `text` is empty. An edit or deletion names the message it is about in `replyTo.inReplyTo`.',
    ),
    source: connectorNameSchema.describe('The connector that read the message.'),
    from: z
      .string()
      .min(1)
      .describe("The sender's identity: phone number in E.164, Twitch user id, Discord user id."),
    sender: senderSchema,
    channel: channelSchema,
    text: z.string().describe("The message's body; empty where it has none."),
    attachments: z.array(attachmentSchema).describe('Files that came with the message; often empty.'),
    occurredAt: timestampSchema.describe("The platform's time of the happening."),
    receivedAt: timestampSchema.describe("The gateway's time of receipt."),
    correlationId: z
      .uuid()
      .describe(
        'A UUID derived from `id`: a repeated delivery carries the same one. Copy it into the answer.',
      ),
    replyTo: replyToSchema,
    metadata: metadataSchema,
  })
  .meta({ title: 'IngressEnvelope', description: 'One message that somebody wrote on a platform.' });

/** @see ingressTypeSchema */
export type IngressType = z.infer<typeof ingressTypeSchema>;
/** @see attachmentSchema */
export type Attachment = z.infer<typeof attachmentSchema>;
/** @see senderSchema */
export type Sender = z.infer<typeof senderSchema>;
/** @see channelSchema */
export type Channel = z.infer<typeof channelSchema>;
/** @see replyToSchema */
export type ReplyTo = z.infer<typeof replyToSchema>;
/** @see ingressEnvelopeSchema */
export type IngressEnvelope = z.infer<typeof ingressEnvelopeSchema>;
