// Generated from docs/contract/schemas: run `npx nx run workspace-plugin:generate`.

/**
 * Name of a connector, e.g. `twilio`, `twitch`, `discord`: lower-case letters, digits and hyphens, first
 * a letter, 32 characters at most. The set is open.
 */
export type ConnectorName = string;

/** Who wrote the message. */
export type Sender = {
  /** The platform's stable identity of the sender. */
  id: string;
  /** The name that people see. */
  displayName: string;
  /** The unique name that people type, where the platform has one apart from `id`. */
  login?: string | undefined;
  /** The sender's roles in the channel, in the platform's words: `moderator`, a role's name. */
  roles: string[];
  /** True where the platform says that a program wrote the message. */
  isBot: boolean;
};

/** Where the message was written. */
export type Channel = {
  /** The platform's id of the channel. */
  id: string;
  /**
   * `conversation`: SMS or WhatsApp; `channel`: public to its members; `direct`: with one person;
   * `thread`: a branch of a channel.
   */
  kind: 'conversation' | 'channel' | 'direct' | 'thread';
  /** What people call it. */
  name?: string | undefined;
};

/** A file that belongs to a message. */
export type Attachment = {
  /**
   * Where the bytes are, by `http` or `https`. Some platforms hand out links that expire: fetch soon.
   */
  url: string;
  /** MIME type, e.g. `image/png`. */
  contentType?: string | undefined;
  /** Name that the sender gave the file. */
  fileName?: string | undefined;
  /** Size in bytes. */
  size?: number | undefined;
};

/** RFC 3339 in UTC, with a `Z`: `2026-11-20T07:40:31.592Z`. */
export type Timestamp = string;

/** Copy it into an egress event and the answer arrives where the message came from. */
export type ReplyTo = {
  /**
   * Full name of the bus topic, prefix included, on which the instance that published this listens.
   * Publish the answer there.
   */
  topic: string;
  /** Becomes `target.connector` of the answer. */
  connector: ConnectorName;
  /** Becomes `target.destination` of the answer. */
  destination: string;
  /** The platform's id of this message; becomes `inReplyTo` of the answer. */
  inReplyTo?: string | undefined;
};

/** Further facts as JSON: the platform's own ids, by the platform's own names. Not versioned. */
export type Metadata = { [key: string]: JsonValue };

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** One message that somebody wrote on a platform. */
export type IngressEnvelope = {
  /** Version of the contract. A reader takes the versions it knows and nothing else. */
  v: '1';
  /**
   * `{source}:{native message id}`, of an edit or a deletion with a revision behind it. The same
   * happening has the same id whoever reads it, however often: deduplicate by it.
   */
  id: string;
  /**
   * `chat.message.v1`: written; `chat.message.edited.v1`: `text` is the new text;
   * `chat.message.deleted.v1`: gone, `text` is empty; `contact.consent.v1`: follows a message that is
   * STOP, START, HELP or the like, or a refusal by the platform to send to somebody who has opted out:
   * `metadata.consent` is `out` (wants no messages any more), `in` (wants them again) or `help`, `text`
   * is empty. An edit or deletion names the message it is about in `replyTo.inReplyTo`.
   */
  type: 'chat.message.v1' | 'chat.message.edited.v1' | 'chat.message.deleted.v1' | 'contact.consent.v1';
  /** The connector that read the message. */
  source: ConnectorName;
  /** The sender's identity: phone number in E.164, Twitch user id, Discord user id. */
  from: string;
  sender: Sender;
  channel: Channel;
  /** The message's body; empty where it has none. */
  text: string;
  /** Files that came with the message; often empty. */
  attachments: Attachment[];
  /** The platform's time of the happening. */
  occurredAt: Timestamp;
  /** The gateway's time of receipt. */
  receivedAt: Timestamp;
  /** A UUID derived from `id`: a repeated delivery carries the same one. Copy it into the answer. */
  correlationId: string;
  replyTo: ReplyTo;
  metadata: Metadata;
};

/** Where the message goes. */
export type EgressTarget = {
  /** The connector that sends. */
  connector: ConnectorName;
  /** The platform's address: conversation SID, channel name, channel id. */
  destination: string;
};

/** One message that a bot wants sent. It has text, an attachment, or both. */
export type EgressEvent = {
  /** Version of the contract. A reader takes the versions it knows and nothing else. */
  v: '1';
  /**
   * The idempotency key: two events with one id are one message. An answer takes `reply:{envelope id}`.
   */
  id: string;
  /** What is asked for: send a message. */
  type: 'chat.send.v1';
  target: EgressTarget;
  /**
   * Plain text, 100,000 UTF-16 code units at most (more: outcome `failed`, `PAYLOAD_INVALID`); it is
   * split at the platform's limit, never cut. Not blank without an attachment.
   */
  text: string;
  /** Files to send along, by public URL. */
  attachments?: Attachment[] | undefined;
  /** The platform's id of the message that is answered; shown where the platform can. */
  inReplyTo?: string | undefined;
  /** The envelope's, or one of your own; the outcome carries it. */
  correlationId: string;
  /** After this time the message is not sent any more; its outcome is `expired`. */
  expiresAt?: Timestamp | undefined;
  /** Further facts as JSON, for your own use. */
  metadata?: Metadata | undefined;
};

/** What went wrong. */
export type ErrorInfo = {
  /** For programs, e.g. `TARGET_NOT_FOUND`. The set is open. */
  code: string;
  /** For people; never a secret. */
  message: string;
  /** Whether trying the same again later may succeed. */
  retryable: boolean;
  /** The platform's own code, where it gave one. */
  nativeCode?: string | undefined;
};

/** What became of one egress event. */
export type EgressOutcome = {
  /** Version of the contract. A reader takes the versions it knows and nothing else. */
  v: '1';
  /**
   * `{event id}:{status}`, of one part of a split text `{event id}:{status}:{part}`: a repeated outcome
   * has the same id.
   */
  id: string;
  /** An outcome. */
  type: 'chat.outcome.v1';
  /** The egress event's `id`. */
  eventId: string;
  /** The egress event's. */
  correlationId: string;
  /**
   * `sent`: the platform has accepted it; `delivered`, `read`: the platform said so later; `failed`: not
   * sent, `error` says why; `expired`: `expiresAt` had passed; `suppressed`: the recipient does not want
   * messages; `unknown`: the platform's answer was lost and cannot be had again.
   */
  status: 'sent' | 'delivered' | 'read' | 'failed' | 'expired' | 'suppressed' | 'unknown';
  /** The egress event's. */
  target: EgressTarget;
  /** The platform's message ids in order; more than one where the text was split. */
  platformMessageIds: string[];
  /**
   * How often sending was tried, earlier deliveries included as far as the bus counts them; 0 with what
   * the platform said later.
   */
  attempts: number;
  /** Why it was not sent; absent where it was. */
  error?: ErrorInfo | undefined;
  /** When the outcome was known. */
  occurredAt: Timestamp;
};
