import type { DocumentReference, Firestore, Settings, Timestamp, Transaction } from '@google-cloud/firestore';
import { type FirestoreStoreOptions } from './firestore-options.js';

/** What a document of ours holds. */
export interface DocumentFields {
  readonly key: string;
  readonly value: string;
  /** Another one at each write, so that a writer knows its own, and no write leaves a document as it was. */
  readonly writeId: string;
}

/** Changes at each write of a document. */
export type DocumentVersion = Timestamp;

/** A document as it was read. The fields are not checked: anybody may have written them. */
export interface StoredDocument {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly version: DocumentVersion;
}

/** What we use of the library. Each call rejects with the library's error. */
export interface FirestoreClient {
  read(id: string): Promise<StoredDocument | undefined>;
  put(id: string, fields: DocumentFields): Promise<void>;
  remove(id: string): Promise<void>;
  /** Rejects when the document exists. */
  create(id: string, fields: DocumentFields): Promise<void>;
  /** Rejects when the document is not at that version any more. */
  replace(id: string, fields: DocumentFields, version: DocumentVersion): Promise<void>;
  /** Waits for all requests, for reads that the library repeats by itself some 40 s at most. */
  close(): Promise<void>;
}

/** Loads the library, which takes some 120 ms and 30 MB, and makes its client. Connects when first used. */
export async function openFirestoreClient(
  options: FirestoreStoreOptions,
  requestTimeoutMs: number,
): Promise<FirestoreClient> {
  const { Firestore } = await import('./firestore-library.js');
  const firestore = new Firestore(clientSettings(options, requestTimeoutMs));
  const collection = firestore.collection(options.collection);
  const write = (
    id: string,
    add: (commit: Transaction, document: DocumentReference) => void,
  ): Promise<void> => commitOnce(firestore, (commit) => add(commit, collection.doc(id)));
  const reads = new Set<Promise<unknown>>();
  return {
    read: async (id) => {
      const reading = collection.doc(id).get();
      reads.add(reading);
      const snapshot = await reading.finally(() => reads.delete(reading));
      const [fields, version] = [snapshot.data(), snapshot.updateTime];
      return fields === undefined || version === undefined ? undefined : { fields, version };
    },
    put: (id, fields) => write(id, (commit, document) => commit.set(document, fields)),
    remove: (id) => write(id, (commit, document) => commit.delete(document)),
    create: (id, fields) => write(id, (commit, document) => commit.create(document, fields)),
    replace: (id, fields, version) =>
      write(id, (commit, document) => commit.update(document, { ...fields }, { lastUpdateTime: version })),
    close: async () => {
      // A read that the library repeats on an ended client becomes an unhandled rejection, and ends the process.
      await Promise.allSettled(reads);
      await firestore.terminate();
    },
  };
}

/**
 * One commit request, never repeated. A transaction that reads nothing is just that; the library's plain writes repeat
 * themselves for ten minutes, whatever is configured, and so could take effect long after we gave up on them.
 */
function commitOnce(firestore: Firestore, add: (commit: Transaction) => void): Promise<void> {
  return firestore.runTransaction(
    (commit) => {
      add(commit);
      return Promise.resolve();
    },
    { maxAttempts: 1 },
  );
}

const SERVICE = 'google.firestore.v1.Firestore';

function clientSettings(options: FirestoreStoreOptions, requestTimeoutMs: number): Settings {
  const once = { timeout_millis: requestTimeoutMs, retry_codes_name: 'none' };
  return {
    projectId: options.projectId,
    ...(options.databaseId === undefined ? {} : { databaseId: options.databaseId }),
    preferRest: false,
    // Else gax repeats each read three times, over and above what the configuration says.
    gaxServerStreamingRetries: true,
    clientConfig: {
      interfaces: {
        [SERVICE]: {
          retry_codes: { none: [] },
          methods: { BatchGetDocuments: once, Commit: once },
        },
      },
    },
    // gRPC's own bound is 2 minutes: too long to stay away from a store that is back.
    'grpc.max_reconnect_backoff_ms': 2000,
    ...(options.emulatorHost === undefined
      ? // A connection that died without a word is noticed after 70 s.
        { 'grpc.keepalive_time_ms': 60_000, 'grpc.keepalive_timeout_ms': 10_000 }
      : {
          host: options.emulatorHost,
          ssl: false,
          // Known beforehand, so that nobody looks for credentials or a metadata server to learn it.
          clientOptions: { universeDomain: 'googleapis.com' },
        }),
  };
}
