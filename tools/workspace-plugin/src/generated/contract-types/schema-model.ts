/** What a JSON Schema says, as far as the schemas of `docs/contract` use JSON Schema. */
export type TypeNode =
  | { readonly kind: 'string' | 'number' | 'integer' | 'boolean' | 'null' }
  | { readonly kind: 'literals'; readonly values: readonly string[] }
  | { readonly kind: 'ref'; readonly name: string }
  | { readonly kind: 'array'; readonly items: TypeNode }
  | { readonly kind: 'map'; readonly values: TypeNode }
  | { readonly kind: 'union'; readonly of: readonly TypeNode[] };

/** One field of an object. */
export interface Field {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly type: TypeNode;
}

/** A named type: an object with fields, or another name for a type. */
export interface Declaration {
  readonly name: string;
  readonly description: string;
  readonly shape: { readonly fields: readonly Field[] } | { readonly alias: TypeNode };
}

type Schema = Readonly<Record<string, unknown>>;

const PRIMITIVES = ['string', 'number', 'integer', 'boolean', 'null'] as const;

/**
 * The named types of some schemas, each once, in the order in which they are needed.
 * @param texts schema files; a type that is in several of them must be the same in all
 * @throws Error that names a keyword combination which no schema of the contract has used so far
 */
export function readDeclarations(texts: readonly string[]): Declaration[] {
  const found = new Map<string, Declaration>();
  const add = (name: string, schema: Schema): void => {
    if (found.has(name)) return;
    const description = textOf(schema, 'description');
    const isObject = isRecord(schema['properties']);
    const shape = isObject
      ? { fields: fieldsOf(name, schema, add) }
      : { alias: toType(name, schema, () => undefined) };
    found.set(name, { name, description, shape });
  };
  for (const text of texts) {
    const schema = asSchema(JSON.parse(text));
    for (const [name, definition] of Object.entries(asSchema(schema['$defs'] ?? {}))) {
      add(name, asSchema(definition));
    }
    add(textOf(schema, 'title'), schema);
  }
  return [...found.values()];
}

type AddDeclaration = (name: string, schema: Schema) => void;

function fieldsOf(owner: string, schema: Schema, add: AddDeclaration): Field[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(asSchema(schema['properties'])).map(([name, value]): Field => {
    const field = asSchema(value);
    return {
      name,
      description: textOf(field, 'description'),
      required: required.includes(name),
      type: toType(`${owner}${name.charAt(0).toUpperCase()}${name.slice(1)}`, field, add),
    };
  });
}

function toType(name: string, schema: Schema, add: AddDeclaration): TypeNode {
  const { $ref: ref, anyOf, const: constant, enum: values, type } = schema;
  if (typeof ref === 'string') return { kind: 'ref', name: ref.slice(ref.lastIndexOf('/') + 1) };
  if (typeof constant === 'string') return { kind: 'literals', values: [constant] };
  if (Array.isArray(values)) return { kind: 'literals', values: values.map(String) };
  if (Array.isArray(anyOf) && type === undefined) {
    return { kind: 'union', of: anyOf.map((one) => toType(name, asSchema(one), add)) };
  }
  if (type === 'array')
    return { kind: 'array', items: toType(`${name}Item`, asSchema(schema['items']), add) };
  if (type === 'object' && isRecord(schema['properties'])) {
    add(name, schema);
    return { kind: 'ref', name };
  }
  if (type === 'object' && isRecord(schema['additionalProperties'])) {
    return { kind: 'map', values: toType(`${name}Value`, schema['additionalProperties'], add) };
  }
  const primitive = PRIMITIVES.find((one) => one === type);
  if (primitive !== undefined) return { kind: primitive };
  throw new Error(`${name}: the generator of types knows no schema with ${Object.keys(schema).join(', ')}`);
}

function textOf(schema: Schema, key: string): string {
  const text = schema[key];
  return typeof text === 'string' ? text : '';
}

function asSchema(value: unknown): Schema {
  if (isRecord(value)) return value;
  throw new Error('expected a JSON Schema that is an object');
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
