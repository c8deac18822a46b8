import { type BackoffPolicy, type Clock, type Logger } from '@bitbrat/foundation';
import { StateStoreError } from '../state-store.js';

/** Settings of the Firestore store. */
export interface FirestoreStoreOptions {
  /** Google Cloud project id. */
  readonly projectId: string;
  /** Default `(default)`. */
  readonly databaseId?: string;
  /** Where the documents are kept, one per key. No other service may write there. */
  readonly collection: string;
  /** `host:port` of Google's emulator. No credentials are looked for and the connection is not encrypted. */
  readonly emulatorHost?: string;
  /** How long one request may take, in milliseconds, before it is repeated. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /**
   * How long a call is repeated while Firestore does not answer, in milliseconds, before it rejects with `UNAVAILABLE`.
   * The request under way then is waited for. Default 30,000.
   */
  readonly giveUpAfterMs?: number;
  /** Wait between repeated requests. Default 100 ms doubling to 2 s. */
  readonly retryBackoff?: BackoffPolicy;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Jitter, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Passes settings that Firestore can work with.
 * @throws StateStoreError `INVALID_CONFIG`
 */
export function assertFirestoreOptions(options: FirestoreStoreOptions): void {
  if (options.projectId === '') throw invalid('the project id is empty');
  // Firestore, "Usage and limits", "Collections, documents, and fields".
  if (!/^(?!\.{1,2}$)(?!__.*__$)[^/]{1,200}$/u.test(options.collection)) {
    throw invalid(
      `collection "${options.collection}": expected 1 to 200 characters without "/", not ".", ".." or "__x__"`,
    );
  }
  if (
    options.emulatorHost !== undefined &&
    !/^[^\s/:]+:\d+$|^\[[\da-f:]+\]:\d+$/iu.test(options.emulatorHost)
  ) {
    throw invalid(`emulator host "${options.emulatorHost}": expected host:port`);
  }
}

const invalid = (detail: string): StateStoreError =>
  new StateStoreError('INVALID_CONFIG', `Firestore state store: ${detail}`);
