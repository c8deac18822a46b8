import { type ConnectorError, type WebhookRequest } from '@bitbrat/connectors-core';
import type * as twilioWebhooks from 'twilio/lib/webhooks/webhooks.js';
import { z } from 'zod';

/** Twilio's own validators, loaded when they are first needed. */
export type SignatureValidators = Pick<typeof twilioWebhooks, 'validateRequest' | 'validateRequestWithBody'>;

/** What a webhook asks of us, or the status that it is refused with. */
export type WebhookVerdict =
  | { readonly kind: 'wake'; readonly conversationSid: string }
  | { readonly kind: 'delivery'; readonly update: DeliveryUpdate }
  | { readonly kind: 'ignore'; readonly eventType: string }
  | { readonly kind: 'refuse'; readonly status: 400 | 403 | 405 | 415; readonly reason: string };

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

const eventSchema = z.looseObject({ EventType: z.string().min(1), ChatServiceSid: z.string().optional() });
const wakingSchema = z.looseObject({ ConversationSid: z.string().regex(/^CH[0-9a-fA-F]{32}$/) });

/** Statuses that say something new; `undelivered` is what SMS carriers call `failed`. Of the others the sending itself has told. */
const STATUSES = { delivered: 'delivered', read: 'read', failed: 'failed', undelivered: 'failed' } as const;
const statusSchema = z.looseObject({ Status: z.string() });
const deliverySchema = z.looseObject({
  ConversationSid: z.string().regex(/^CH[0-9a-fA-F]{32}$/),
  MessageSid: z.string().regex(/^IM[0-9a-fA-F]{32}$/),
  Status: z.enum(['delivered', 'read', 'failed', 'undelivered']).transform((status) => STATUSES[status]),
  ParticipantSid: z.string().optional(),
  // A number in JSON, text in a form.
  ErrorCode: z.coerce.number().int().optional().catch(undefined),
  DateUpdated: z.string().optional(),
});

type Parameters = Readonly<Record<string, unknown>>;

/**
 * Judges a webhook request. Pure.
 *
 * The signature is checked over the raw bytes before anything of the content is believed: for a form over its parameters, for JSON over
 * the body's hash, which Twilio puts into the query.
 */
export function judgeWebhook(
  request: WebhookRequest,
  settings: WebhookSettings,
  validators: SignatureValidators,
): WebhookVerdict {
  if (request.method !== 'POST') return refuse(405, 'expected POST');
  const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(';', 1);
  const isForm = type.trim() === 'application/x-www-form-urlencoded';
  if (!isForm && type.trim() !== 'application/json') return refuse(415, 'expected a form or JSON');

  const body = new TextDecoder().decode(request.rawBody);
  const form = isForm ? parseForm(body) : undefined;
  const signature = request.headers['x-twilio-signature'] ?? '';
  if (!isSigned(signedUrl(settings.webhookUrl, request.path), signature, form, body, settings, validators)) {
    return refuse(403, 'the signature does not match');
  }
  const parameters = form ?? parseJson(body);
  if (parameters === undefined) return refuse(400, 'the body is not JSON');
  return toVerdict(parameters, settings.chatServiceSid);
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

function isSigned(
  url: string,
  signature: string,
  form: Parameters | undefined,
  body: string,
  { authToken }: WebhookSettings,
  { validateRequest, validateRequestWithBody }: SignatureValidators,
): boolean {
  if (signature === '') return false;
  try {
    return form === undefined
      ? validateRequestWithBody(authToken, signature, url, body)
      : validateRequest(authToken, signature, url, form);
  } catch {
    // The validators throw on what they cannot read; that is not signed either.
    return false;
  }
}

/** Behind a proxy host and path may differ from the public ones; only the query is the request's own. */
function signedUrl(webhookUrl: string, path: string): string {
  const [base = ''] = webhookUrl.split('?', 1);
  const query = path.indexOf('?');
  return query === -1 ? base : base + path.slice(query);
}

/** Flat, as the signature wants it; a repeated name has all its values. */
function parseForm(body: string): Parameters {
  const form = new URLSearchParams(body);
  const names = new Set(form.keys());
  return Object.fromEntries(
    [...names].map((name) => {
      const values = [...form.getAll(name)];
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

function parseJson(body: string): Parameters | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}

function refuse(status: 400 | 403 | 405 | 415, reason: string): WebhookVerdict {
  return { kind: 'refuse', status, reason };
}
