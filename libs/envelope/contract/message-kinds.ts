import { type z } from 'zod';
import {
  busAttributesSchema,
  type CodecResult,
  type Topics,
  connectorStatusSchema,
  deadLetterSchema,
  decodeDeadLetter,
  decodeEgress,
  decodeIngress,
  decodeOutcome,
  decodeStatus,
  egressEventSchema,
  egressOutcomeSchema,
  encodeDeadLetter,
  encodeEgress,
  type EncodedMessage,
  encodeIngress,
  encodeOutcome,
  encodeStatus,
  ingressEnvelopeSchema,
} from '../src/index.js';

/** `published`: the gateway writes and others read. `consumed`: others write and the gateway reads. */
export type Direction = 'published' | 'consumed';

/** The attributes of an example, beyond what its body says. */
export interface Cause {
  readonly source: string;
  readonly time: string;
  readonly traceparent?: string | undefined;
}

/** One kind of message: all that the documents say about it beside its schema. */
export interface MessageKind {
  /** As in the library: `IngressEnvelope`. */
  readonly name: string;
  /** File name without the ending, name of channel and operation. */
  readonly slug: string;
  readonly direction: Direction;
  readonly schema: z.ZodType;
  readonly topic: (topics: Topics) => string;
  /** What the ordering key is made of: connector and channel. */
  readonly ordering: string;
  readonly ceSubject: string;
  readonly read: (data: Uint8Array) => CodecResult<unknown>;
  /** Reads the body and writes it again, as the library does. */
  readonly rewrite: (data: Uint8Array, cause: Cause) => CodecResult<EncodedMessage>;
}

function rewriting<T>(
  read: (data: Uint8Array) => CodecResult<T>,
  write: (value: T, cause: Cause) => CodecResult<EncodedMessage>,
): Pick<MessageKind, 'read' | 'rewrite'> {
  return {
    read,
    rewrite: (data, cause) => {
      const result = read(data);
      return result.ok ? write(result.value, cause) : result;
    },
  };
}

/** Every kind, in the order in which a bot meets them. */
export const MESSAGE_KINDS: readonly MessageKind[] = [
  {
    name: 'IngressEnvelope',
    slug: 'ingress-envelope',
    direction: 'published',
    schema: ingressEnvelopeSchema,
    topic: (topics) => topics.ingress,
    ordering: '`source` and `channel.id`',
    ceSubject: '`channel.id`',
    ...rewriting(decodeIngress, (value, { traceparent }) => encodeIngress(value, traceparent)),
  },
  {
    name: 'EgressEvent',
    slug: 'egress-event',
    direction: 'consumed',
    schema: egressEventSchema,
    topic: (topics) => topics.egress('{instanceId}'),
    ordering: '`target.connector` and `target.destination`',
    ceSubject: '`{target.connector}/{target.destination}`',
    ...rewriting(decodeEgress, (value, { source, time, traceparent }) =>
      encodeEgress(value, source, time, traceparent),
    ),
  },
  {
    name: 'EgressOutcome',
    slug: 'egress-outcome',
    direction: 'published',
    schema: egressOutcomeSchema,
    topic: (topics) => topics.outcome,
    ordering: '`target.connector` and `target.destination`',
    ceSubject: '`eventId`',
    ...rewriting(decodeOutcome, (value, { source, traceparent }) =>
      encodeOutcome(value, source, traceparent),
    ),
  },
  {
    name: 'ConnectorStatus',
    slug: 'connector-status',
    direction: 'published',
    schema: connectorStatusSchema,
    topic: (topics) => topics.status,
    ordering: '`connector` and the word `status`',
    ceSubject: '`connector`',
    ...rewriting(decodeStatus, (value, { source }) => encodeStatus(value, source)),
  },
  {
    name: 'DeadLetter',
    slug: 'dead-letter',
    direction: 'published',
    schema: deadLetterSchema,
    topic: (topics) => topics.deadLetter,
    ordering: 'the word `deadletter` and `id`',
    ceSubject: '`origin.topic`',
    ...rewriting(decodeDeadLetter, (value, { source }) => encodeDeadLetter(value, source)),
  },
];

/** The attributes, which all kinds share. */
export const BUS_ATTRIBUTES = {
  name: 'BusAttributes',
  slug: 'bus-attributes',
  direction: 'published',
  schema: busAttributesSchema,
} as const satisfies Partial<MessageKind>;
