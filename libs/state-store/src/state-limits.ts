import { StateStoreError, type StateStoreErrorCode } from './state-store.js';

/** What every driver takes, so that what works on a laptop works in the cloud. In bytes of UTF-8. */
export const STATE_LIMITS = {
  /** Encoded as a document id a key grows by a third; Firestore takes 1,500 bytes ("Usage and limits"). */
  keyBytes: 1000,
  /** A cursor or a lease is far below; Firestore takes 1 MiB per document. */
  valueBytes: 65_536,
} as const;

/**
 * Passes a key that every driver can store.
 * @throws StateStoreError `INVALID_KEY`
 */
export function assertKey(key: string): void {
  if (key === '') throw new StateStoreError('INVALID_KEY', 'invalid key: it is empty');
  assertText('INVALID_KEY', 'key', key, STATE_LIMITS.keyBytes);
}

/**
 * Passes a value that every driver can store.
 * @throws StateStoreError `INVALID_VALUE`
 */
export function assertValue(value: string): void {
  assertText('INVALID_VALUE', 'value', value, STATE_LIMITS.valueBytes);
}

function assertText(code: StateStoreErrorCode, kind: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new StateStoreError(code, `invalid ${kind}: ${bytes} bytes of UTF-8, ${maxBytes} are allowed`);
  }
  if (!text.isWellFormed()) {
    throw new StateStoreError(
      code,
      `invalid ${kind}: half of a surrogate pair cannot be stored; cut texts between characters`,
    );
  }
}
