/** What of JSON Schema (draft 2020-12) the contract uses. Keywords that are not named here are kept as they are. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly default?: unknown;
}

const LOCAL = '#/$defs/';

/** The name in `$defs` that a schema refers to; undefined where it refers to none. */
export function refName({ $ref }: JsonSchema): string | undefined {
  return $ref?.startsWith(LOCAL) === true ? $ref.slice(LOCAL.length) : undefined;
}

/**
 * The schema with its references followed; keywords beside a `$ref` win over those behind it.
 * @throws Error where a reference leads nowhere
 */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const name = refName(schema);
  const target = name === undefined ? undefined : root.$defs?.[name];
  if (target === undefined) throw new Error(`${schema.$ref}: there is no such definition in this schema`);
  const { $ref: _, ...beside } = schema;
  return { ...resolve(target, root), ...beside };
}
