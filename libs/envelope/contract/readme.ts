import {
  MAX_ATTRIBUTE_BYTES,
  MAX_BODY_BYTES,
  MAX_DEPTH,
  MAX_VALUES,
  ORDERING_BUCKETS,
  orderingKeyOf,
} from '../src/index.js';
import { COMPATIBILITY_RULES } from './compatibility-rules.js';
import { type Example } from './examples.js';
import { fieldsOf, scalarsOf } from './field-table.js';
import { type JsonSchema } from './json-schema.js';
import { anchorOf, code, jsonBlock, table } from './markdown.js';
import { BUS_ATTRIBUTES, MESSAGE_KINDS, type MessageKind } from './message-kinds.js';
import { type SchemaFiles, schemaFileOf, topicOf } from './schemas.js';

/** The contract for people: topic by topic, with each field's meaning from its schema. */
export function createReadme(schemas: SchemaFiles, examples: readonly Example[]): string {
  return [
    INTRODUCTION,
    topics(schemas),
    wire(schemas),
    answering(),
    ...MESSAGE_KINDS.map((kind) => section(kind, schemas, examples)),
    types(schemas),
    compatibility(),
  ].join('\n\n');
}

const INTRODUCTION = `# The bus contract

Generated from \`libs/envelope/src\` by \`nx run envelope:contract-write\`; \`nx run envelope:contract\` fails when it is stale.

- [schemas/](schemas): JSON Schema (draft 2020-12), one file per message, and one for the attributes
- [asyncapi.yaml](asyncapi.yaml): the same as an AsyncAPI 3 document
- [examples/](examples): messages as they travel; each is read by the library and valid against its schema
- [Writing a bot](../writing-a-bot.md): the guide

Every person's message on any platform becomes one [IngressEnvelope](#ingressenvelope). Whoever answers publishes an
[EgressEvent](#egressevent) and learns from an [EgressOutcome](#egressoutcome) what became of it.`;

function topics(schemas: SchemaFiles): string {
  const rows = MESSAGE_KINDS.map((kind) => [
    code(topicOf(kind)),
    `[${kind.name}](#${anchorOf(kind.name)})`,
    kind.direction === 'published' ? 'gateway → bots' : 'bots → gateway',
    schemaOf(kind, schemas).description ?? '',
  ]);
  return `## Topics

${table(['topic', 'message', 'direction', 'what'], rows)}

\`{BUS_PREFIX}\` is what the deployment puts in front of every topic name, as it is; nothing unless it is set. \`{instanceId}\`
is one instance of the gateway: do not build this topic's name, take it from \`replyTo.topic\`.`;
}

function wire(schemas: SchemaFiles): string {
  const schema = schemas[schemaFileOf(BUS_ATTRIBUTES)] ?? {};
  const vectors = [
    ['twilio', 'CH00000000000000000000000000000001'],
    ['twitch', 'bitbrat'],
    ['discord', '1200000000000000003'],
  ] as const;
  return `## On the wire

The body is one JSON object in UTF-8, ${MAX_BODY_BYTES.toLocaleString('en-US')} bytes at most, nested ${MAX_DEPTH} levels deep and with ${MAX_VALUES.toLocaleString('en-US')} values at most.
Over Pub/Sub's REST interface it is \`data\` in base64.

**Delivery** is at least once and in order per ordering key. The same message may come again: its \`id\` is the same.

**Attributes** are the CloudEvents 1.0 binary binding:

${table(
  ['attribute', 'required', 'meaning'],
  fieldsOf(schema).map(({ field, required, meaning }) => [code(field), required ? 'yes' : 'no', meaning]),
)}

A value of more than ${MAX_ATTRIBUTE_BYTES.toLocaleString('en-US')} bytes is left out. The gateway reads the body and \`traceparent\` alone; send the others for
filters, logs and whoever else listens.

**Ordering key**: \`b00\` to \`b${ORDERING_BUCKETS - 1}\`. Join connector and channel with a line feed, take SHA-1 of the UTF-8 bytes, read the
first four bytes as a big-endian number, and take it modulo ${ORDERING_BUCKETS}, in two digits. Subscribe with message ordering enabled
to receive a channel's messages in order; publish with the key to have yours sent in order.

${table(
  ['connector', 'channel', 'ordering key'],
  vectors.map(([connector, channel]) => [
    code(connector),
    code(channel),
    code(orderingKeyOf(connector, channel)),
  ]),
)}`;
}

function answering(): string {
  const rows: [string, string][] = [
    ['topic', '`replyTo.topic`'],
    ['`v`', '`"1"`'],
    [
      '`id`',
      "`reply:` and the envelope's `id`; more than one answer, or several bots: an id of your own for each, the same when the work is repeated",
    ],
    ['`type`', '`"chat.send.v1"`'],
    ['`target.connector`', '`replyTo.connector`'],
    ['`target.destination`', '`replyTo.destination`'],
    ['`text`', 'yours'],
    ['`inReplyTo`', '`replyTo.inReplyTo`, where it is there'],
    ['`correlationId`', '`correlationId`'],
    ['ordering key', 'of `replyTo.connector` and `replyTo.destination`'],
    ['attribute `ce-specversion`', '`1.0`'],
    ['attribute `ce-id`, `ce-type`', "the answer's `id` and `type`"],
    ['attribute `ce-source`', '`/bots/{your name}`'],
    ['attribute `ce-time`', 'now'],
    ['attribute `ce-subject`', '`{replyTo.connector}/{replyTo.destination}`'],
    ['attribute `traceparent`', "the envelope's, where it is there"],
  ];
  return `## Answering

Answer envelopes of type \`chat.message.v1\` whose \`sender.isBot\` is false. Publish an egress event:

${table(['of the answer', 'value, from the envelope'], rows)}

Then acknowledge the envelope. If you fail in between, it comes again; the answer then has the same \`id\` and is sent once.`;
}

function section(kind: MessageKind, schemas: SchemaFiles, examples: readonly Example[]): string {
  const schema = schemaOf(kind, schemas);
  const own = examples.filter((example) => example.kind === kind.name);
  const [first] = own;
  if (first === undefined) throw new Error(`${kind.name}: give it an example in docs/contract/examples`);
  const rows = fieldsOf(schema).map(({ field, type, required, meaning }) => [
    code(field),
    type,
    required ? 'yes' : 'no',
    meaning,
  ]);
  return `## ${kind.name}

${schema.description ?? ''} Topic ${code(topicOf(kind))}, [schema](schemas/${schemaFileOf(kind)}).

The ordering key is of ${kind.ordering}; the attribute \`ce-subject\` is ${kind.ceSubject}.

${table(['field', 'type', 'required', 'meaning'], rows)}

${first.title}:

${jsonBlock(first.body)}

Examples: ${own.map(({ name, title }) => `[${title}](examples/${name}.json)`).join(' · ')}`;
}

function types(schemas: SchemaFiles): string {
  const rows = scalarsOf(Object.values(schemas)).map(([name, { description = '' }]) => [name, description]);
  return `## Types

${table(['type', 'form'], rows)}

Fields that are not in the tables are kept as they are, at every level: ignore those that you do not know.`;
}

function compatibility(): string {
  const both = { published: 'gateway → bots', consumed: 'bots → gateway', both: 'all' } as const;
  const rows = Object.entries(COMPATIBILITY_RULES).map(([name, { appliesTo, change, harm }]) => [
    code(name),
    both[appliesTo],
    change,
    harm,
  ]);
  return `## Versions

\`v\` and the end of each topic's name are the version. Within a version nothing changes that breaks a reader or a writer
that keeps to this page; what would, gets a new version on a topic of its own. New optional fields come at any time.
Refuse a \`v\` that you do not know. \`nx run envelope:contract-compat\` holds the schemas against the released ones in
\`libs/envelope/contract/baseline\` and fails on these changes:

${table(['rule', 'messages', 'change', 'why it breaks'], rows)}`;
}

function schemaOf(kind: MessageKind, schemas: SchemaFiles): JsonSchema {
  const schema = schemas[schemaFileOf(kind)];
  if (schema === undefined) throw new Error(`${kind.name}: there is no schema`);
  return schema;
}
