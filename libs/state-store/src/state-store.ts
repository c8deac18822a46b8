/**
 * A small durable memory: strings by key.
 *
 * Keys are any non-empty text of well-formed Unicode; the caller puts its own name in front (`discord/channel:1`). Keys
 * are compared code point by code point, so `é` written in two ways is two keys. `''` is a value, not an absence.
 *
 * Writes of one key through one store take effect in the order of the calls. A read sees each write that had resolved
 * before it began, and never one that was rejected with anything but `UNAVAILABLE` or `CLOSED`.
 */
export interface StateStore {
  /**
   * @returns the value, or undefined where there is none
   * @throws StateStoreError `INVALID_KEY`, `INVALID_CONFIG`, `UNAVAILABLE`, `FORBIDDEN`, `CORRUPT`, `LOCKED`, `CLOSED`
   */
  get(key: string): Promise<string | undefined>;
  /**
   * Resolves when the value is durable: it survives the process being killed at any moment. Of several calls for one
   * key that wait at the same time only the last value may come to be stored.
   * @throws StateStoreError as `get`, and `INVALID_VALUE`
   */
  set(key: string, value: string): Promise<void>;
  /**
   * Resolves when the absence is durable, also where there was no value.
   * @throws StateStoreError as `get`
   */
  delete(key: string): Promise<void>;
  /**
   * Stores `value` if, and only if, the present value is `expected` (`undefined`: there is none), in one step that no
   * other writer can come between. What leases and claims are made of.
   * @returns whether the value was stored; durable when `true`
   * @throws StateStoreError as `set`. After `UNAVAILABLE` the value may have been stored: read before you go on
   */
  compareAndSet(key: string, expected: string | undefined, value: string): Promise<boolean>;
  /**
   * Resolves when the store answers.
   * @throws StateStoreError `UNAVAILABLE` when it does not within `timeoutMs`, else as `get`
   */
  checkHealth(timeoutMs: number): Promise<void>;
  /**
   * No further call is taken. Resolves when all that were under way have ended, or after `timeoutMs`: those left then
   * reject with `CLOSED`. Closing twice is harmless.
   */
  close(timeoutMs: number): Promise<void>;
}

/**
 * - `INVALID_KEY`, `INVALID_VALUE`: breaks a limit; the same call will never succeed.
 * - `INVALID_CONFIG`: a setting of the driver is wrong, such as a path that is a folder or a database that does not exist.
 * - `UNAVAILABLE`: the store does not answer, or its disk is full or away. The write may have taken effect. Worth repeating.
 * - `FORBIDDEN`: the store does not let us in.
 * - `CORRUPT`: what is stored cannot be read. Nothing was overwritten.
 * - `LOCKED`: another process uses the file.
 * - `CLOSED`: the store was closed.
 */
export type StateStoreErrorCode =
  | 'INVALID_KEY'
  | 'INVALID_VALUE'
  | 'INVALID_CONFIG'
  | 'UNAVAILABLE'
  | 'FORBIDDEN'
  | 'CORRUPT'
  | 'LOCKED'
  | 'CLOSED';

/** The one error that a store rejects with. Its message names cause and cure, and no stored value. */
export class StateStoreError extends Error {
  override readonly name = 'StateStoreError';

  constructor(
    readonly code: StateStoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same call may succeed later with nobody doing anything. */
  get retryable(): boolean {
    return this.code === 'UNAVAILABLE';
  }
}
