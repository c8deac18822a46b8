import assert from 'node:assert/strict';
import { StateStoreError, type StateStore, type StateStoreErrorCode } from '../state-store.js';

/** What the contract suite needs to know of a driver. */
export interface StateStoreHarness {
  readonly store: StateStore;
  /** How long a case waits for what must happen, in milliseconds. */
  readonly patienceMs: number;
  /** Closes the store and opens another over the same data; undefined for a driver that forgets by design. */
  readonly reopen: (() => Promise<StateStore>) | undefined;
  /** Frees what the harness holds, its stores included. */
  dispose(): Promise<void>;
}

export type CreateStateStoreHarness = () => Promise<StateStoreHarness>;

/** One promise of the port, and how it is seen to hold. */
export interface ContractCase {
  readonly name: string;
  /** Rejects when the store does not hold it. */
  run(harness: StateStoreHarness): Promise<void>;
}

let keys = 0;

/** A key that no other case has used, in this process or another. */
export function freshKey(): string {
  return `contract/${process.pid}-${Date.now().toString(36)}-${++keys}`;
}

/** Tells the rejection with `code` from all others. */
export function isStateError(code: StateStoreErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof StateStoreError && error.code === code;
}

/** Rejects with `what` when `work` takes longer than `ms`. */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message: `not within ${ms} ms: ${what}` }));
    }, ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a case lets a store close, in milliseconds. */
export const CLOSE_MS = 5000;
