import { type RuleName } from './compatibility-rules.js';
import { type JsonSchema } from './json-schema.js';
import { type Direction } from './message-kinds.js';

/** A breaking change of one keyword. */
export interface KeywordChange {
  readonly rule: RuleName;
  readonly detail: string;
}

/** Every integer is a number; a schema without a type takes all. */
function includesType(wide: string | undefined, narrow: string | undefined): boolean {
  return wide === undefined || wide === narrow || (wide === 'number' && narrow === 'integer');
}

/** What is published must keep to the old type, what is consumed must still take it. */
export function compareTypes(before: JsonSchema, after: JsonSchema, direction: Direction): KeywordChange[] {
  const detail = `${before.type ?? 'any'} -> ${after.type ?? 'any'}`;
  if (direction === 'published') {
    return includesType(before.type, after.type) ? [] : [{ rule: 'type-widened', detail }];
  }
  return includesType(after.type, before.type) ? [] : [{ rule: 'type-narrowed', detail }];
}

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  return 'const' in schema ? [schema.const] : schema.enum;
}

/** Compares constants and enumerations; a schema with neither takes every value. */
export function compareValues(before: JsonSchema, after: JsonSchema, direction: Direction): KeywordChange[] {
  const old = valuesOf(before);
  const current = valuesOf(after);
  const list = (values: readonly unknown[]): string =>
    values.map((value) => JSON.stringify(value)).join(', ');
  const missing = (from: readonly unknown[], all: readonly unknown[]): unknown[] =>
    all.filter((value) => !from.includes(value));
  if (old === undefined) {
    return current === undefined || direction === 'published'
      ? []
      : [{ rule: 'value-removed', detail: `any value -> ${list(current)}` }];
  }
  if (current === undefined) {
    return direction === 'published' ? [{ rule: 'value-added', detail: `${list(old)} -> any value` }] : [];
  }
  const added = direction === 'published' ? missing(old, current) : [];
  const removed = missing(current, old);
  return [
    ...(added.length === 0 ? [] : [{ rule: 'value-added' as const, detail: `${list(added)} is new` }]),
    ...(removed.length === 0 ? [] : [{ rule: 'value-removed' as const, detail: `${list(removed)} is gone` }]),
  ];
}

const LOWER = ['minimum', 'minLength', 'minItems'] as const;
const UPPER = ['maximum', 'maxLength', 'maxItems'] as const;

/** Compares minima and maxima of numbers, texts and lists; a missing one is no limit. */
export function compareBounds(before: JsonSchema, after: JsonSchema, direction: Direction): KeywordChange[] {
  const lower = LOWER.map((keyword) => ({ keyword, none: -Infinity, sign: 1 }));
  const upper = UPPER.map((keyword) => ({ keyword, none: Infinity, sign: -1 }));
  return [...lower, ...upper].flatMap(({ keyword, none, sign }): KeywordChange[] => {
    const [old, current] = [before[keyword] ?? none, after[keyword] ?? none];
    // Above zero: fewer values are allowed than before.
    const tightened = current === old ? 0 : (current > old ? 1 : -1) * sign;
    const detail = `${keyword} ${before[keyword] ?? 'none'} -> ${after[keyword] ?? 'none'}`;
    if (direction === 'published' && tightened < 0) return [{ rule: 'limit-loosened', detail }];
    if (direction === 'consumed' && tightened > 0) return [{ rule: 'limit-tightened', detail }];
    return [];
  });
}

/** Compares `pattern` and `format`. Two patterns cannot be compared: another one counts as breaking. */
export function compareForm(before: JsonSchema, after: JsonSchema, direction: Direction): KeywordChange[] {
  return (['pattern', 'format'] as const).flatMap((keyword): KeywordChange[] => {
    const [old, current] = [before[keyword], after[keyword]];
    if (old === current) return [];
    const detail = `${keyword} ${old ?? 'none'} -> ${current ?? 'none'}`;
    if (direction === 'published') return old === undefined ? [] : [{ rule: 'form-loosened', detail }];
    return current === undefined ? [] : [{ rule: 'form-tightened', detail }];
  });
}
