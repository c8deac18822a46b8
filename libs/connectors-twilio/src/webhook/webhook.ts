import { type ConnectorError, type WebhookRequest } from '@bitbrat/connectors-core';
import { z } from 'zod';
import { parseForm } from './webhook-form.js';
import { parseJsonObject } from './webhook-json.js';
import { isSignedForm, isSignedJson, looksSigned } from './webhook-signature.js';

/**
 * Bytes of a body at most. Twilio's largest webhook is far smaller: 32 KB of text and 16 KB of attributes (limits page),
 * each byte percent-encoded.
 */
export const MAX_BODY_BYTES = 1_048_576;

/** Characters of a path with its query at most. */
const MAX_PATH_LENGTH = 8_192;

type RefusalStatus = 400 | 403 | 405 | 413 | 414 | 415;

/** What a webhook asks of us, or the status that it is refused with. */
export type WebhookVerdict =
  | { readonly kind: 'wake'; readonly conversationSid: string }
  | { readonly kind: 'delivery'; readonly update: DeliveryUpdate }
  | { readonly kind: 'ignore'; readonly eventType: string }
  | { readonly kind: 'refuse'; readonly status: RefusalStatus; readonly reason: string };

/** What became of a message on its way to a phone, as the webhook tells it. */
export interface DeliveryUpdate {
  readonly conversationSid: string;
  readonly messageSid: string;
  readonly participantSid: string | undefined;
  readonly status: 'delivered' | 'read' | 'failed';
  /** Twilio's error code; undefined where there is none. */
  readonly errorCode: number | undefined;
  /** Milliseconds since 1970; undefined where the webhook does not say. */
  readonly occurredAt: number | undefined;
}

export interface WebhookSettings {
  readonly authToken: string;
  /** As it is set at Twilio. */
  readonly webhookUrl: string;
  readonly chatServiceSid: string;
}

/** Events after which there is something to join or to read; all others are none of our business. */
const WAKING = new Set(['onConversationAdded', 'onMessageAdded']);

const eventSchema = z.object({
  EventType: z.string().min(1).max(128),
  ChatServiceSid: z.string().optional(),
});
const wakingSchema = z.object({ ConversationSid: z.string().regex(/^CH[0-9a-fA-F]{32}$/) });

/** Statuses that say something new; `undelivered` is what SMS carriers call `failed`. Of the others the sending itself has told. */
const STATUSES = { delivered: 'delivered', read: 'read', failed: 'failed', undelivered: 'failed' } as const;
const statusSchema = z.object({ Status: z.string() });
const deliverySchema = z.object({
  ConversationSid: z.string().regex(/^CH[0-9a-fA-F]{32}$/),
  MessageSid: z.string().regex(/^IM[0-9a-fA-F]{32}$/),
  Status: z.enum(['delivered', 'read', 'failed', 'undelivered']).transform((status) => STATUSES[status]),
  ParticipantSid: z.string().optional(),
  // A number in JSON, text in a form.
  ErrorCode: z.coerce.number().int().optional().catch(undefined),
  DateUpdated: z.string().max(64).optional().catch(undefined),
});

/** What is read of a webhook; all else is left alone. */
const NAMES = [
  ...Object.keys(eventSchema.shape),
  ...Object.keys(wakingSchema.shape),
  ...Object.keys(deliverySchema.shape),
];

type Parameters = Readonly<Record<string, unknown>>;

/**
 * Judges a webhook request. Pure.
 *
 * The signature is checked over the raw bytes before anything of the content is believed: for a form over its parameters,
 * for JSON over the body's hash, which Twilio puts into the query. Until it matches, the work is bounded and linear in the
 * size of the body; afterwards it is linear.
 */
export function judgeWebhook(request: WebhookRequest, settings: WebhookSettings): WebhookVerdict {
  if (request.method !== 'POST') return refuse(405, 'expected POST');
  const contentType = (request.headers['content-type'] ?? '').slice(0, 256).toLowerCase();
  const [type = ''] = contentType.split(';', 1);
  const isForm = type.trim() === 'application/x-www-form-urlencoded';
  if (!isForm && type.trim() !== 'application/json') return refuse(415, 'expected a form or JSON');
  const signature = request.headers['x-twilio-signature'] ?? '';
  if (!looksSigned(signature)) return refuse(403, 'the signature is missing or malformed');
  if (request.path.length > MAX_PATH_LENGTH) return refuse(414, 'the path is too long');
  const { byteLength, byteOffset, buffer } = request.rawBody;
  if (byteLength > MAX_BODY_BYTES) return refuse(413, 'the body is too large');
  const body = Buffer.from(buffer, byteOffset, byteLength);
  const url = signedUrl(settings.webhookUrl, request.path);
  return isForm ? judgeForm(body, signature, url, settings) : judgeJson(body, signature, url, settings);
}

function judgeForm(body: Buffer, signature: string, url: string, settings: WebhookSettings): WebhookVerdict {
  const form = parseForm(body);
  if (form === undefined) return refuse(413, 'the form has too many fields');
  if (!isSignedForm(settings.authToken, signature, url, form)) return refuse(403, MISMATCH);
  // A repeated name is none of Twilio's: it stays a list, which no schema accepts.
  const parameters = pick((name) => {
    const values = form.get(name);
    return values?.length === 1 ? values[0] : values;
  });
  return toVerdict(parameters, settings.chatServiceSid);
}

function judgeJson(body: Buffer, signature: string, url: string, settings: WebhookSettings): WebhookVerdict {
  if (!isSignedJson(settings.authToken, signature, url, body)) return refuse(403, MISMATCH);
  const json = parseJsonObject(body);
  if (json === undefined) return refuse(400, 'the body is no JSON object of an acceptable size');
  return toVerdict(
    pick((name) => (Object.hasOwn(json, name) ? json[name] : undefined)),
    settings.chatServiceSid,
  );
}

const MISMATCH = 'the signature does not match';

function pick(valueOf: (name: string) => unknown): Parameters {
  return Object.fromEntries(NAMES.map((name) => [name, valueOf(name)]));
}

/** The status of a webhook whose work has failed: always 5xx, so that Twilio tries again. */
export function toFailureStatus(error: ConnectorError): number {
  return error.code === 'INTERNAL' ? 500 : 503;
}

function toVerdict(parameters: Parameters, chatServiceSid: string): WebhookVerdict {
  const event = eventSchema.safeParse(parameters);
  if (!event.success) return refuse(400, 'EventType is missing');
  const { ChatServiceSid, EventType } = event.data;
  const isOurs = ChatServiceSid === undefined || ChatServiceSid === chatServiceSid;
  if (isOurs && EventType === 'onDeliveryUpdated') return toDeliveryVerdict(parameters, EventType);
  if (!isOurs || !WAKING.has(EventType)) return { kind: 'ignore', eventType: EventType };
  const waking = wakingSchema.safeParse(parameters);
  return waking.success
    ? { kind: 'wake', conversationSid: waking.data.ConversationSid }
    : refuse(400, 'ConversationSid is missing or malformed');
}

function toDeliveryVerdict(parameters: Parameters, eventType: string): WebhookVerdict {
  const status = statusSchema.safeParse(parameters);
  if (!status.success) return refuse(400, 'Status is missing');
  if (!Object.hasOwn(STATUSES, status.data.Status)) return { kind: 'ignore', eventType };
  const parsed = deliverySchema.safeParse(parameters);
  if (!parsed.success) return refuse(400, 'ConversationSid or MessageSid is missing or malformed');
  const { ConversationSid, DateUpdated, ErrorCode, MessageSid, ParticipantSid, Status } = parsed.data;
  const occurredAt = Date.parse(DateUpdated ?? '');
  return {
    kind: 'delivery',
    update: {
      conversationSid: ConversationSid,
      messageSid: MessageSid,
      participantSid: ParticipantSid,
      status: Status,
      errorCode: ErrorCode === 0 ? undefined : ErrorCode,
      occurredAt: Number.isNaN(occurredAt) ? undefined : occurredAt,
    },
  };
}

/** Behind a proxy host and path may differ from the public ones; only the query is the request's own. */
function signedUrl(webhookUrl: string, path: string): string {
  const [base = ''] = webhookUrl.split('?', 1);
  const query = path.indexOf('?');
  return query === -1 ? base : base + path.slice(query);
}

function refuse(status: RefusalStatus, reason: string): WebhookVerdict {
  return { kind: 'refuse', status, reason };
}
