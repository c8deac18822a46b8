import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Cause, MESSAGE_KINDS, type MessageKind } from './message-kinds.js';
import { type EncodedMessage } from '../src/index.js';

const exampleSchema = z.strictObject({
  kind: z.enum(MESSAGE_KINDS.map(({ name }) => name)),
  title: z.string().min(1),
  topic: z.string().min(1),
  orderingKey: z.string().regex(/^b\d\d$/),
  attributes: z.record(z.string(), z.string()),
  body: z.record(z.string(), z.unknown()),
});

/** A message as it travels; `body` is the JSON that the bus carries as bytes. */
export interface Example extends z.infer<typeof exampleSchema> {
  /** File name without `.json`. */
  readonly name: string;
}

/** The kind that an example is of. */
export function kindOf({ name, kind }: Example): MessageKind {
  const found = MESSAGE_KINDS.find((candidate) => candidate.name === kind);
  if (found === undefined) throw new Error(`examples/${name}.json: there is no kind ${kind}`);
  return found;
}

/**
 * Reads an example and makes sure that it is one: the library reads its body, and writing it gives its attributes,
 * its ordering key and the same body.
 * @throws Error that names the file and the fault
 */
export function parseExample(name: string, content: string): Example {
  const parsed = exampleSchema.safeParse(JSON.parse(content));
  if (!parsed.success) throw new Error(`examples/${name}.json: ${z.prettifyError(parsed.error)}`);
  const example: Example = { name, ...parsed.data };
  const written = kindOf(example).rewrite(bytesOf(example), causeOf(example));
  if (!written.ok) throw new Error(`examples/${name}.json: ${written.fault.code}: ${written.fault.detail}`);
  const fault = differenceOf(example, written.value);
  if (fault !== undefined) throw new Error(`examples/${name}.json: ${fault}`);
  return example;
}

/** The body's bytes, as the bus carries them. */
export function bytesOf({ body }: Example): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

function causeOf({ attributes }: Example): Cause {
  return {
    source: attributes['ce-source'] ?? '',
    time: attributes['ce-time'] ?? '',
    traceparent: attributes['traceparent'],
  };
}

function differenceOf(example: Example, written: EncodedMessage): string | undefined {
  const pairs: [string, unknown, unknown][] = [
    ['orderingKey', example.orderingKey, written.orderingKey],
    ['attributes', example.attributes, written.attributes],
    ['body', example.body, JSON.parse(new TextDecoder().decode(written.data))],
  ];
  return pairs
    .filter(([, actual, expected]) => !isDeepStrictEqual(actual, expected))
    .map(([field, , expected]) => `${field}: expected ${JSON.stringify(expected)}`)
    .at(0);
}
