import { randomUUID } from 'node:crypto';
import { backoffMs, keepAliveClock, messageOf, silentLogger, sleep, withTimeout } from '@bitbrat/foundation';
import { CallGate } from '../call-gate.js';
import {
  type DocumentFields,
  type FirestoreClient,
  openFirestoreClient,
  type StoredDocument,
} from './firestore-client.js';
import { finalFault, isConflict } from './firestore-errors.js';
import { assertFirestoreOptions, type FirestoreStoreOptions } from './firestore-options.js';
import { assertKey, assertValue } from '../state-limits.js';
import { StateStoreError, type StateStore } from '../state-store.js';
import { WriteLanes } from './write-lanes.js';

const DEFAULTS = {
  requestTimeoutMs: 5000,
  giveUpAfterMs: 30_000,
  retryBackoff: { baseMs: 100, maxMs: 2000 },
  random: Math.random,
  logger: silentLogger,
  clock: keepAliveClock,
};

/**
 * A store with one Firestore document per key, for any number of processes. The library is loaded at the first call.
 *
 * While Firestore is away calls are repeated, for `giveUpAfterMs` at most.
 * @throws StateStoreError `INVALID_CONFIG`
 */
export function createFirestoreStore(options: FirestoreStoreOptions): StateStore {
  assertFirestoreOptions(options);
  return new FirestoreStore({ ...DEFAULTS, ...options });
}

type ResolvedOptions = FirestoreStoreOptions & typeof DEFAULTS;

class FirestoreStore implements StateStore {
  private readonly gate: CallGate;
  private readonly lanes = new WriteLanes();
  private opening: Promise<FirestoreClient> | undefined;
  private ending: Promise<void> | undefined;

  constructor(private readonly options: ResolvedOptions) {
    this.gate = new CallGate(options.clock);
  }

  get(key: string): Promise<string | undefined> {
    return this.gate.run(async () => {
      assertKey(key);
      const document = await this.persist('get', (client) => this.read(client, key));
      return document?.fields.value;
    });
  }

  set(key: string, value: string): Promise<void> {
    return this.gate.run(async () => {
      assertKey(key);
      assertValue(value);
      await this.lanes.set(key, value, (latest) => {
        const fields = { key, value: latest, writeId: randomUUID() };
        return this.persist('set', (client) => client.put(documentId(key), fields));
      });
    });
  }

  delete(key: string): Promise<void> {
    return this.gate.run(async () => {
      assertKey(key);
      await this.lanes.run(key, () => this.persist('delete', (client) => client.remove(documentId(key))));
    });
  }

  compareAndSet(key: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.gate.run(async () => {
      assertKey(key);
      assertValue(value);
      const fields = { key, value, writeId: randomUUID() };
      return this.lanes.run(key, () =>
        this.persist('compareAndSet', (client) => this.swap(client, fields, expected)),
      );
    });
  }

  checkHealth(timeoutMs: number): Promise<void> {
    return this.gate.run(async () => {
      const probe = async (): Promise<void> => {
        // No key has this id: whether there is such a document does not matter.
        await (await this.client()).read('health');
      };
      try {
        await withTimeout(
          this.options.clock,
          probe(),
          timeoutMs,
          () => new Error(`no answer within ${timeoutMs} ms`),
        );
      } catch (error) {
        throw finalFault(error, 'Firestore health') ?? unavailable('health', error);
      }
    });
  }

  async close(timeoutMs: number): Promise<void> {
    const { clock } = this.options;
    const deadline = clock.now() + timeoutMs;
    await this.gate.close(timeoutMs);
    this.ending ??= this.endClient();
    // The library's requests end in their own time, also those that nobody waits for any more. Closing again waits on.
    await withTimeout(clock, this.ending, Math.max(0, deadline - clock.now()), ignored).catch(ignored);
  }

  /**
   * A conditional commit rather than a transaction that reads: it takes no lock, so a process that dies in between holds
   * up nobody else.
   */
  private async swap(
    client: FirestoreClient,
    fields: DocumentFields,
    expected: string | undefined,
  ): Promise<boolean> {
    for (;;) {
      const present = await this.read(client, fields.key);
      // An earlier attempt of ours was stored, and its answer was lost.
      if (present?.fields.writeId === fields.writeId) return true;
      if (present?.fields.value !== expected) return false;
      try {
        const id = documentId(fields.key);
        await (present === undefined
          ? client.create(id, fields)
          : client.replace(id, fields, present.version));
        return true;
      } catch (error) {
        // Another writer came between, so somebody has got on; what is there now decides.
        if (!isConflict(error) || this.gate.signal.aborted) throw error;
      }
    }
  }

  private async read(
    client: FirestoreClient,
    key: string,
  ): Promise<(StoredDocument & { readonly fields: DocumentFields }) | undefined> {
    const { clock, requestTimeoutMs } = this.options;
    // The library repeats reads by itself, for half a minute at most; unlike a write, a late one does no harm.
    const document = await withTimeout(
      clock,
      client.read(documentId(key)),
      requestTimeoutMs,
      () => new Error(`no answer within ${requestTimeoutMs} ms`),
    );
    if (document === undefined) return undefined;
    const { value, writeId } = document.fields;
    if (typeof value !== 'string' || typeof writeId !== 'string') {
      throw new StateStoreError(
        'CORRUPT',
        `document "${documentId(key)}" of collection "${this.options.collection}" is not one of the state store; delete it, or give the store a collection of its own`,
      );
    }
    return { fields: { key, value, writeId }, version: document.version };
  }

  /** Repeats `attempt` until it succeeds, fails for good or has been failing for too long. */
  private async persist<T>(operation: string, attempt: (client: FirestoreClient) => Promise<T>): Promise<T> {
    const { clock, logger, giveUpAfterMs, retryBackoff, random } = this.options;
    const deadline = clock.now() + giveUpAfterMs;
    for (let failures = 0; ;) {
      try {
        const result = await attempt(await this.client());
        if (failures > 0) logger.info('state.request.recovered', { operation, failures });
        return result;
      } catch (error) {
        const fault = finalFault(error, `Firestore ${operation}`);
        if (fault !== undefined) throw fault;
        failures += 1;
        const waitMs = backoffMs(retryBackoff, failures, random, 'half');
        const isLast = clock.now() + waitMs >= deadline;
        if (failures === 1 || isLast) {
          logger.warn('state.request.failing', { operation, failures, reason: messageOf(error) });
        }
        if (isLast) throw unavailable(operation, error);
        await sleep(clock, waitMs, this.gate.signal);
        if (this.gate.signal.aborted) throw unavailable(operation, error);
      }
    }
  }

  private async endClient(): Promise<void> {
    const client = await this.opening;
    await client?.close();
  }

  private client(): Promise<FirestoreClient> {
    this.opening ??= openFirestoreClient(this.options, this.options.requestTimeoutMs);
    return this.opening;
  }
}

const ignored = (): Error => new Error('ignored');

/** `/`, `.`, `..` and `__x__` have a meaning in Firestore's ids; so prefixed and encoded, no key has any. */
const documentId = (key: string): string => `k-${Buffer.from(key).toString('base64url')}`;

function unavailable(operation: string, cause: unknown): StateStoreError {
  return new StateStoreError(
    'UNAVAILABLE',
    `Firestore ${operation}: no success in time, the last reason: ${messageOf(cause)}`,
    { cause },
  );
}
