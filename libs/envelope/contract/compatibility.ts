import { isDeepStrictEqual } from 'node:util';
import { compareBounds, compareForm, compareTypes, compareValues } from './compare-keywords.js';
import { COMPATIBILITY_RULES, type RuleName } from './compatibility-rules.js';
import { type JsonSchema, refName, resolve } from './json-schema.js';
import { type Direction } from './message-kinds.js';
import { type SchemaFiles } from './schemas.js';

/** One change that breaks somebody. */
export interface BreakingChange {
  readonly file: string;
  /** JSON path in the message: `$.sender.roles[*]`. */
  readonly path: string;
  readonly rule: RuleName;
  /** From what to what. */
  readonly detail: string;
}

/** `file $.path rule: detail; harm; cure`. */
export function describeChange({ file, path, rule, detail }: BreakingChange): string {
  const { harm, cure } = COMPATIBILITY_RULES[rule];
  return `${file} ${path} ${rule}: ${detail}. Why it breaks: ${harm}. Cure: ${cure}, or make a new version.`;
}

/** What of `after` breaks those who have built on `before`. Nothing of a message that has a new version on a new topic. */
export function findBreakingChanges(before: SchemaFiles, after: SchemaFiles): BreakingChange[] {
  return Object.entries(before).flatMap(([file, released]) => {
    const current = after[file];
    const found: Finding[] =
      current === undefined
        ? [{ path: '$', rule: 'message-removed', detail: 'there is no such schema any more' }]
        : compareMessages(released, current);
    return found.map((finding) => ({ file, ...finding }));
  });
}

type Finding = Omit<BreakingChange, 'file'>;

function compareMessages(before: JsonSchema, after: JsonSchema): Finding[] {
  const [oldTopic, newTopic] = [before['x-topic'], after['x-topic']];
  const topic = `${String(oldTopic)} -> ${String(newTopic)}`;
  if (!isDeepStrictEqual(versionOf(before), versionOf(after))) {
    const detail = `v ${String(versionOf(before))} -> ${String(versionOf(after))} on ${String(newTopic)}`;
    return oldTopic === newTopic ? [{ path: '$.v', rule: 'version-without-topic', detail }] : [];
  }
  const direction: Direction = before['x-direction'] === 'consumed' ? 'consumed' : 'published';
  const comparison = new Comparison(direction, before, after);
  return [
    ...(oldTopic === newTopic ? [] : [{ path: '$', rule: 'topic-changed' as const, detail: topic }]),
    ...(after['x-direction'] === direction
      ? []
      : [
          {
            path: '$',
            rule: 'direction-changed' as const,
            detail: `${direction} -> ${String(after['x-direction'])}`,
          },
        ]),
    ...comparison.compare(before, after, '$'),
  ];
}

function versionOf({ properties }: JsonSchema): unknown {
  return properties?.['v']?.const;
}

/** Keywords that say nothing about what is valid, and those that `compare` takes together with others. */
const ANNOTATIONS = new Set(['$schema', '$id', '$defs', '$ref', 'title', 'description', 'examples']);
const COMPARED = new Set([
  ...['type', 'const', 'enum', 'pattern', 'format', 'default'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['properties', 'required', 'additionalProperties', 'items'],
]);

class Comparison {
  readonly #underWay = new Set<string>();

  constructor(
    private readonly direction: Direction,
    private readonly rootBefore: JsonSchema,
    private readonly rootAfter: JsonSchema,
  ) {}

  compare(rawBefore: JsonSchema, rawAfter: JsonSchema, path: string): Finding[] {
    // A definition that holds itself is compared once; its inner self is the same pair again.
    const pair = `${refName(rawBefore) ?? ''} ${refName(rawAfter) ?? ''}`;
    const isReference = pair.trim() !== '';
    if (isReference && this.#underWay.has(pair)) return [];
    if (isReference) this.#underWay.add(pair);
    const before = resolve(rawBefore, this.rootBefore);
    const after = resolve(rawAfter, this.rootAfter);
    const here = [
      ...compareTypes(before, after, this.direction),
      ...compareValues(before, after, this.direction),
      ...compareBounds(before, after, this.direction),
      ...compareForm(before, after, this.direction),
      ...this.#default(before, after),
      ...this.#otherKeywords(before, after),
    ].map((finding) => ({ path, ...finding }));
    const found = [
      ...here,
      ...this.#fields(before, after, path),
      ...this.#furtherFields(before, after, path),
      ...this.#items(before, after, path),
    ];
    if (isReference) this.#underWay.delete(pair);
    return found;
  }

  #items(before: JsonSchema, after: JsonSchema, path: string): Finding[] {
    return before.items === undefined && after.items === undefined
      ? []
      : this.compare(before.items ?? {}, after.items ?? {}, `${path}[*]`);
  }

  #fields(before: JsonSchema, after: JsonSchema, path: string): Finding[] {
    const old = before.properties ?? {};
    const current = after.properties ?? {};
    const inOld = Object.entries(old).flatMap(([name, schema]): Finding[] => {
      const at = `${path}.${name}`;
      const now = current[name];
      if (now === undefined) return [{ path: at, rule: 'field-removed', detail: 'the field is gone' }];
      return [...this.#presence(before, after, name, at), ...this.compare(schema, now, at)];
    });
    const isNew = Object.keys(current).filter((name) => !Object.hasOwn(old, name));
    return [...inOld, ...isNew.flatMap((name) => this.#presence(before, after, name, `${path}.${name}`))];
  }

  #presence(before: JsonSchema, after: JsonSchema, name: string, path: string): Finding[] {
    const was = before.required?.includes(name) === true;
    const is = after.required?.includes(name) === true;
    if (this.direction === 'published' && was && !is) {
      return [{ path, rule: 'field-made-optional', detail: 'required -> optional' }];
    }
    if (this.direction === 'consumed' && !was && is) {
      const known = before.properties?.[name] !== undefined;
      return [{ path, rule: 'field-made-required', detail: `${known ? 'optional' : 'absent'} -> required` }];
    }
    return [];
  }

  #furtherFields(before: JsonSchema, after: JsonSchema, path: string): Finding[] {
    const [old, current] = [furtherOf(before), furtherOf(after)];
    if (old === undefined || current === undefined) {
      if (old === current) return [];
      const rule = old === undefined ? 'object-opened' : 'object-closed';
      const breaks = COMPATIBILITY_RULES[rule].appliesTo === this.direction;
      return breaks ? [{ path, rule, detail: 'additionalProperties has changed' }] : [];
    }
    const areAnything = Object.keys(old).length === 0 && Object.keys(current).length === 0;
    return areAnything ? [] : this.compare(old, current, `${path}.*`);
  }

  #default(before: JsonSchema, after: JsonSchema): Omit<Finding, 'path'>[] {
    // A default where there was none comes with a field that may now be left out.
    if (this.direction === 'published' || before.default === undefined) return [];
    if (isDeepStrictEqual(before.default, after.default)) return [];
    const current = after.default === undefined ? 'none' : JSON.stringify(after.default);
    return [{ rule: 'default-changed', detail: `${JSON.stringify(before.default)} -> ${current}` }];
  }

  #otherKeywords(before: JsonSchema, after: JsonSchema): Omit<Finding, 'path'>[] {
    const keywords = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keywords]
      .filter((keyword) => !ANNOTATIONS.has(keyword) && !COMPARED.has(keyword) && !keyword.startsWith('x-'))
      .filter(
        (keyword) =>
          !isDeepStrictEqual(
            expand(before[keyword], this.rootBefore, []),
            expand(after[keyword], this.rootAfter, []),
          ),
      )
      .map((keyword) => ({ rule: 'keyword-changed', detail: `${keyword} has changed` }));
  }
}

/** The schema of the fields that are not named; undefined where there may be none. */
function furtherOf({ additionalProperties = true }: JsonSchema): JsonSchema | undefined {
  if (additionalProperties === false) return undefined;
  return additionalProperties === true ? {} : additionalProperties;
}

/** A keyword's value with its references written out and without annotations, so that equal means the same. */
function expand(value: unknown, root: JsonSchema, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((entry) => expand(entry, root, names));
  if (typeof value !== 'object' || value === null) return value;
  const schema: JsonSchema = { ...value };
  const name = refName(schema);
  if (name !== undefined && names.includes(name)) return { $ref: name };
  const entries = Object.entries(resolve(schema, root)).filter(([keyword]) => !ANNOTATIONS.has(keyword));
  const inner = name === undefined ? names : [...names, name];
  return Object.fromEntries(entries.map(([keyword, entry]) => [keyword, expand(entry, root, inner)]));
}
