import { assertKey, assertValue } from './state-limits.js';

/** A write, as a value. */
export type StateChange =
  | { readonly kind: 'set'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | {
      readonly kind: 'compareAndSet';
      readonly key: string;
      readonly expected: string | undefined;
      readonly value: string;
    };

/** What a write came to. `changed`: the state is another than before, so that it must be stored. */
export interface ChangeResult {
  readonly accepted: boolean;
  readonly changed: boolean;
}

/**
 * Passes a write that every driver can store. `expected` is only compared, so any text will do.
 * @throws StateStoreError `INVALID_KEY`, `INVALID_VALUE`
 */
export function assertChange(change: StateChange): void {
  assertKey(change.key);
  if (change.kind !== 'delete') assertValue(change.value);
}

/** Applies a write to `entries`. */
export function applyChange(entries: Map<string, string>, change: StateChange): ChangeResult {
  const present = entries.get(change.key);
  switch (change.kind) {
    case 'delete':
      return { accepted: true, changed: entries.delete(change.key) };
    case 'compareAndSet':
      if (present !== change.expected) return { accepted: false, changed: false };
      break;
    case 'set':
      break;
    default:
      change satisfies never;
  }
  entries.set(change.key, change.value);
  return { accepted: true, changed: present !== change.value };
}
