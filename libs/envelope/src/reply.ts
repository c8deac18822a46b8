import { type Attachment, ENVELOPE_VERSION, type IngressEnvelope } from './ingress-envelope.js';
import { type EgressEvent } from './egress-event.js';
import { type Metadata } from './json.js';

export interface ReplyOptions {
  /**
   * The idempotency key. By default `reply:{envelope id}`, so that a bot that answers a repeated delivery
   * again is heard once. Give an own one to answer a message more than once.
   */
  readonly id?: string;
  readonly attachments?: Attachment[];
  /** RFC 3339, UTC: after it the answer is not sent any more. */
  readonly expiresAt?: string;
  readonly metadata?: Metadata;
  /** Mark the answer as an answer to the message, where the platform can show it. Default true. */
  readonly quote?: boolean;
}

/** The egress event that answers an envelope with a text. Publish it to `envelope.replyTo.topic`. */
export function createReply(
  envelope: IngressEnvelope,
  text: string,
  options: ReplyOptions = {},
): EgressEvent {
  const { connector, destination, inReplyTo } = envelope.replyTo;
  const quoted = options.quote === false ? undefined : inReplyTo;
  return {
    v: ENVELOPE_VERSION,
    id: options.id ?? `reply:${envelope.id}`,
    type: 'chat.send.v1',
    target: { connector, destination },
    text,
    attachments: options.attachments ?? [],
    ...(quoted === undefined ? {} : { inReplyTo: quoted }),
    correlationId: envelope.correlationId,
    ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
    metadata: options.metadata ?? {},
  };
}
