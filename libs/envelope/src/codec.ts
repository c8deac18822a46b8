import { type z } from 'zod';
import { toAttributes } from './attributes.js';
import { orderingKeyOf } from './channel-key.js';
import { type ConnectorStatus, connectorStatusSchema } from './connector-status.js';
import { type DeadLetter, deadLetterSchema } from './dead-letter.js';
import { type EgressEvent, egressEventSchema } from './egress-event.js';
import { type EgressOutcome, egressOutcomeSchema } from './egress-outcome.js';
import { ENVELOPE_VERSION, type IngressEnvelope, ingressEnvelopeSchema } from './ingress-envelope.js';
import { exceededBound } from './json-bounds.js';

/** Pub/Sub takes 10 MB a message; the rest is for attributes and for a dead letter's base64 of a smaller one. */
export const MAX_BODY_BYTES = 7_000_000;

/** Why a body cannot be read or written. */
export type CodecFaultCode = 'NOT_JSON' | 'UNKNOWN_VERSION' | 'INVALID' | 'TOO_LARGE';

export interface CodecFault {
  readonly code: CodecFaultCode;
  /** Names the field and what was expected; never a value, so it may be logged. */
  readonly detail: string;
}

export type CodecResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: CodecFault };

/** A message as the bus takes it. */
export interface EncodedMessage {
  readonly data: Uint8Array;
  readonly attributes: Record<string, string>;
  readonly orderingKey: string;
}

const fault = (code: CodecFaultCode, detail: string): { ok: false; fault: CodecFault } => ({
  ok: false,
  fault: { code, detail },
});

function decode<T>(schema: z.ZodType<T>, data: Uint8Array): CodecResult<T> {
  if (data.byteLength > MAX_BODY_BYTES) {
    return fault('TOO_LARGE', `body has ${data.byteLength} bytes, ${MAX_BODY_BYTES} are allowed`);
  }
  const bound = exceededBound(data);
  if (bound !== undefined) return fault('INVALID', `body: ${bound}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch {
    return fault('NOT_JSON', 'body is not JSON in UTF-8');
  }
  const version = typeof json === 'object' && json !== null && 'v' in json ? json.v : undefined;
  if (version !== undefined && version !== ENVELOPE_VERSION) {
    return fault('UNKNOWN_VERSION', `v: expected "${ENVELOPE_VERSION}"`);
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { ok: true, value: parsed.data } : fault('INVALID', describeIssues(parsed.error));
}

/** The first faults name the cause; a hostile body can have a million of them. */
const MAX_ISSUES = 10;
/** Keys stand in paths, and a key may be as long as the body. */
const MAX_ISSUE_LENGTH = 200;

/** `path: what was expected` for the first faults, without the values. */
function describeIssues(error: z.ZodError): string {
  const described = error.issues.slice(0, MAX_ISSUES).map((issue) => {
    const path = issue.path.map(String).join('.') || 'body';
    return `${path.slice(0, MAX_ISSUE_LENGTH)}: ${issue.message.slice(0, MAX_ISSUE_LENGTH)}`;
  });
  const more = error.issues.length - described.length;
  return [...described, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function encode(
  body: object,
  attributes: Record<string, string>,
  orderingKey: string,
): CodecResult<EncodedMessage> {
  let json: string;
  try {
    json = JSON.stringify(body);
  } catch {
    return fault('INVALID', 'body: has no JSON: circular, nested too deeply, or holds a bigint');
  }
  const data = new TextEncoder().encode(json);
  return data.byteLength > MAX_BODY_BYTES
    ? fault('TOO_LARGE', `body has ${data.byteLength} bytes, ${MAX_BODY_BYTES} are allowed`)
    : { ok: true, value: { data, attributes, orderingKey } };
}

export const decodeIngress = (data: Uint8Array): CodecResult<IngressEnvelope> =>
  decode(ingressEnvelopeSchema, data);
export const decodeEgress = (data: Uint8Array): CodecResult<EgressEvent> => decode(egressEventSchema, data);
export const decodeOutcome = (data: Uint8Array): CodecResult<EgressOutcome> =>
  decode(egressOutcomeSchema, data);
export const decodeStatus = (data: Uint8Array): CodecResult<ConnectorStatus> =>
  decode(connectorStatusSchema, data);
export const decodeDeadLetter = (data: Uint8Array): CodecResult<DeadLetter> => decode(deadLetterSchema, data);

/** @param traceparent the W3C trace context that the message continues */
export function encodeIngress(envelope: IngressEnvelope, traceparent?: string): CodecResult<EncodedMessage> {
  const attributes = toAttributes({
    id: envelope.id,
    source: `/connectors/${envelope.source}`,
    type: envelope.type,
    time: envelope.occurredAt,
    subject: envelope.channel.id,
    traceparent,
  });
  return encode(envelope, attributes, orderingKeyOf(envelope.source, envelope.channel.id));
}

/** @param source who sends, as a CloudEvents source, e.g. `/bots/echo` */
export function encodeEgress(
  event: EgressEvent,
  source: string,
  time: string,
  traceparent?: string,
): CodecResult<EncodedMessage> {
  const { connector, destination } = event.target;
  const attributes = toAttributes({
    id: event.id,
    source,
    type: event.type,
    time,
    subject: `${connector}/${destination}`,
    traceparent,
  });
  return encode(event, attributes, orderingKeyOf(connector, destination));
}

export function encodeOutcome(
  outcome: EgressOutcome,
  source: string,
  traceparent?: string,
): CodecResult<EncodedMessage> {
  const { connector, destination } = outcome.target;
  const attributes = toAttributes({
    id: outcome.id,
    source,
    type: outcome.type,
    time: outcome.occurredAt,
    subject: outcome.eventId,
    traceparent,
  });
  return encode(outcome, attributes, orderingKeyOf(connector, destination));
}

export function encodeStatus(status: ConnectorStatus, source: string): CodecResult<EncodedMessage> {
  const attributes = toAttributes({
    id: status.id,
    source,
    type: status.type,
    time: status.occurredAt,
    subject: status.connector,
  });
  return encode(status, attributes, orderingKeyOf(status.connector, 'status'));
}

export function encodeDeadLetter(letter: DeadLetter, source: string): CodecResult<EncodedMessage> {
  const attributes = toAttributes({
    id: letter.id,
    source,
    type: letter.type,
    time: letter.occurredAt,
    subject: letter.origin.topic,
  });
  return encode(letter, attributes, orderingKeyOf('deadletter', letter.id));
}
