import { type JsonSchema, refName, resolve } from './json-schema.js';

/** One row of a message's table. */
export interface FieldRow {
  /** Path in the message: `sender.roles`, `attachments[].url`. */
  readonly field: string;
  /** With its limits: `string, 3 to 250 characters`. */
  readonly type: string;
  readonly required: boolean;
  readonly meaning: string;
}

/** The fields of an object, each followed by its own fields. @throws Error where a field has no description */
export function fieldsOf(schema: JsonSchema, root: JsonSchema = schema, prefix = ''): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, raw]) => {
    const field = `${prefix}${name}`;
    const property = resolve(raw, root);
    if (property.description === undefined) throw new Error(`${field}: describe it with .describe()`);
    const row: FieldRow = {
      field,
      type: typeOf(raw, root),
      required: schema.required?.includes(name) === true,
      meaning: property.description,
    };
    const items = property.items === undefined ? {} : resolve(property.items, root);
    return [row, ...fieldsOf(property, root, `${field}.`), ...fieldsOf(items, root, `${field}[].`)];
  });
}

/** Definitions that stand for one value and are explained once: their name and what they mean. */
export function scalarsOf(schemas: readonly JsonSchema[]): [name: string, definition: JsonSchema][] {
  const all = schemas.flatMap(({ $defs }) => Object.entries($defs ?? {}));
  const scalars = all.filter(([, { description, type }]) => description !== undefined && type === 'string');
  return [...new Map(scalars)].sort(([a], [b]) => (a < b ? -1 : 1));
}

function typeOf(raw: JsonSchema, root: JsonSchema): string {
  const schema = resolve(raw, root);
  const name = refName(raw);
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) {
    return `one of ${schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')}`;
  }
  switch (schema.type) {
    case 'array':
      return `array of ${typeOf(schema.items ?? {}, root)}`;
    case 'object':
      return 'object';
    case 'string':
      return name ?? ['string', ...formOf(schema), ...lengthOf(schema)].join(', ');
    case 'integer':
      return schema.minimum === undefined ? 'integer' : `integer, at least ${schema.minimum}`;
    default:
      return schema.type ?? 'any';
  }
}

const FORMS: Readonly<Record<string, string>> = { uri: 'URL', uuid: 'UUID' };

function formOf({ contentEncoding, format = '' }: JsonSchema): string[] {
  const form = contentEncoding ?? FORMS[format];
  return form === undefined ? [] : [form];
}

function lengthOf({ maxLength, minLength }: JsonSchema): string[] {
  if (maxLength !== undefined) return [`${minLength ?? 0} to ${maxLength} characters`];
  return minLength === 1 ? ['not empty'] : [];
}
