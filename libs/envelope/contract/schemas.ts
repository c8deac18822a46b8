import { z } from 'zod';
import { createTopics, ENVELOPE_VERSION } from '../src/index.js';
import { type JsonSchema } from './json-schema.js';
import { BUS_ATTRIBUTES, MESSAGE_KINDS, type MessageKind } from './message-kinds.js';

/** JSON Schemas by file name, `ingress-envelope.schema.json`. */
export type SchemaFiles = Readonly<Record<string, JsonSchema>>;

/** The file that holds a kind's schema. */
export function schemaFileOf({ slug }: Pick<MessageKind, 'slug'>): string {
  return `${slug}.schema.json`;
}

/** The topic of a kind, with the parts that a deployment fills in. */
export function topicOf({ topic }: Pick<MessageKind, 'topic'>): string {
  return topic(createTopics('{BUS_PREFIX}'));
}

/**
 * The schemas of all messages and of the attributes. A message that we publish has the shape that is written, with
 * defaults filled in; one that we read has the shape that is taken, where what has a default may be left out.
 */
export function createSchemas(): SchemaFiles {
  const messages = MESSAGE_KINDS.map((kind): [string, JsonSchema] => [
    schemaFileOf(kind),
    { ...toJsonSchema(kind), 'x-direction': kind.direction, 'x-topic': topicOf(kind) },
  ]);
  const attributes = { ...toJsonSchema(BUS_ATTRIBUTES), 'x-direction': BUS_ATTRIBUTES.direction };
  return Object.fromEntries([...messages, [schemaFileOf(BUS_ATTRIBUTES), attributes]]);
}

/** zod's name for the recursive schema of a JSON value, and ours. */
const JSON_VALUE = ['__schema0', 'JsonValue'] as const;

function toJsonSchema({
  schema,
  slug,
  direction,
}: Pick<MessageKind, 'schema' | 'slug' | 'direction'>): JsonSchema {
  const { $schema, ...generated } = z.toJSONSchema(schema, {
    io: direction === 'published' ? 'output' : 'input',
    unrepresentable: 'throw',
    override: ({ jsonSchema }) => {
      // No format of JSON Schema, so strict validators refuse it; `contentEncoding` and the pattern say the same.
      if (jsonSchema.format === 'base64') delete jsonSchema.format;
    },
  });
  const text = JSON.stringify({
    $schema,
    $id: `urn:bitbrat:contract:${slug}:${ENVELOPE_VERSION}`,
    ...generated,
  }).replaceAll(...JSON_VALUE);
  const unnamed = /__schema\d+/.exec(text)?.[0];
  if (unnamed !== undefined) {
    throw new Error(`${slug}: give the schema that is used as ${unnamed} an id by .meta({ id })`);
  }
  return JSON.parse(text) as JsonSchema; // zod wrote it
}
