import { stringify } from 'yaml';
import { ORDERING_BUCKETS, ENVELOPE_VERSION } from '../src/index.js';
import { type Example } from './examples.js';
import { BUS_ATTRIBUTES, MESSAGE_KINDS, type MessageKind } from './message-kinds.js';
import { type SchemaFiles, schemaFileOf, topicOf } from './schemas.js';

const DIALECT = 'application/schema+json;version=draft-2020-12';

const PARAMETERS = {
  BUS_PREFIX: {
    description: 'What the deployment puts in front of every topic name. Empty unless it is set.',
    default: '',
    examples: ['', 'dev.'],
  },
  instanceId: {
    description:
      'The instance of the gateway that is to send. An answer takes the whole topic name from `replyTo.topic`.',
    examples: ['gateway-1'],
  },
} as const;

/** Names the placeholders of an address that AsyncAPI wants described. */
function parametersOf(address: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(PARAMETERS).filter(([name]) => address.includes(`{${name}}`)));
}

/**
 * The AsyncAPI 3 document, in YAML: one channel, one operation and one message for each kind.
 * @param examples are shown with the message of their kind, in the given order
 */
export function createAsyncApi(schemas: SchemaFiles, examples: readonly Example[]): string {
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'BitBrat message bus',
      version: `${ENVELOPE_VERSION}.0.0`,
      description:
        'What travels between the gateway and the bots on Google Cloud Pub/Sub. Operations are the gateway’s: it sends what a bot receives and receives what a bot sends. Readable form: README.md beside this file.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      pubsub: {
        host: 'pubsub.googleapis.com',
        protocol: 'googlepubsub',
        description: 'Google Cloud Pub/Sub. The emulator speaks the same protocol at PUBSUB_EMULATOR_HOST.',
      },
    },
    channels: Object.fromEntries(MESSAGE_KINDS.map((kind) => [kind.slug, channelOf(kind, schemas)])),
    operations: Object.fromEntries(MESSAGE_KINDS.map((kind) => [operationId(kind), operationOf(kind)])),
    components: {
      messages: Object.fromEntries(
        MESSAGE_KINDS.map((kind) => [kind.name, messageOf(kind, schemas, examples)]),
      ),
    },
  };
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function channelOf(kind: MessageKind, schemas: SchemaFiles): object {
  return {
    address: topicOf(kind),
    title: kind.name,
    description: schemas[schemaFileOf(kind)]?.description ?? '',
    parameters: parametersOf(topicOf(kind)),
    servers: [{ $ref: '#/servers/pubsub' }],
    messages: { [kind.name]: { $ref: `#/components/messages/${kind.name}` } },
  };
}

function operationId({ direction, name }: MessageKind): string {
  return `${direction === 'published' ? 'send' : 'receive'}${name}`;
}

function operationOf({ direction, name, slug }: MessageKind): object {
  return {
    action: direction === 'published' ? 'send' : 'receive',
    channel: { $ref: `#/channels/${slug}` },
    summary:
      direction === 'published'
        ? 'The gateway publishes; bots subscribe.'
        : 'Bots publish; the gateway sends.',
    messages: [{ $ref: `#/channels/${slug}/messages/${name}` }],
  };
}

function messageOf(kind: MessageKind, schemas: SchemaFiles, examples: readonly Example[]): object {
  return {
    name: kind.name,
    title: kind.name,
    summary: schemas[schemaFileOf(kind)]?.description ?? '',
    contentType: 'application/json',
    headers: {
      schemaFormat: DIALECT,
      schema: { $ref: `./schemas/${schemaFileOf(BUS_ATTRIBUTES)}` },
    },
    payload: { schemaFormat: DIALECT, schema: { $ref: `./schemas/${schemaFileOf(kind)}` } },
    ...('correlationId' in (schemas[schemaFileOf(kind)]?.properties ?? {})
      ? { correlationId: { location: '$message.payload#/correlationId' } }
      : {}),
    bindings: {
      googlepubsub: {
        orderingKey: `b00 to b${ORDERING_BUCKETS - 1}, a hash of ${kind.ordering.replaceAll('`', '')}`,
        attributes: { 'ce-subject': kind.ceSubject.replaceAll('`', '') },
        bindingVersion: '0.2.0',
      },
    },
    examples: examples
      .filter((example) => example.kind === kind.name)
      .map(({ name, title, attributes, body }) => ({
        name,
        summary: title,
        headers: attributes,
        payload: body,
      })),
  };
}
