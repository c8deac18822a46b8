import { trimOldest } from '../../history-limit.js';
import { type JsonObject } from '../../json.js';
import { createSid } from '../model/identifiers.js';
import { lowerBound } from './sync-paging.js';

/** The three kinds of Sync objects. */
export type SyncKind = 'document' | 'list' | 'map';

/** An item of a list (key = index) or a map. */
export interface SyncItem {
  readonly key: string | number;
  readonly data: JsonObject;
  readonly revision: number;
  /** Id of the event that wrote this state. */
  readonly lastEventId: number;
  readonly dateCreated: string;
  readonly dateUpdated: string;
}

/** One change of one object, as it is pushed and replayed. */
export interface SyncEvent {
  /** Grows over all objects: orders events against outages. */
  readonly sequence: number;
  /** Grows per object and never restarts. */
  readonly id: number;
  readonly change: 'added' | 'updated' | 'removed';
  readonly date: string;
  readonly objectRevision: number;
  /** The item's state; for a document only `data`. */
  readonly item: Pick<SyncItem, 'data' | 'revision'> & { readonly key?: string | number };
}

/** A Sync object with its event log. */
export interface SyncObject {
  readonly sid: string;
  readonly kind: SyncKind;
  readonly uniqueName: string;
  readonly dateCreated: string;
  readonly dateUpdated: string;
  readonly revision: number;
  readonly lastEventId: number;
  /** A document's data. */
  readonly data: JsonObject;
  /** Sorted by key. */
  readonly items: readonly SyncItem[];
  readonly events: readonly SyncEvent[];
}

/** Whoever wants the live events of objects. */
export interface SyncSubscriber {
  readonly identity: string;
  deliver(object: SyncObject, event: SyncEvent): void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Entry extends Omit<Mutable<SyncObject>, 'items' | 'events'> {
  items: SyncItem[];
  events: SyncEvent[];
  readonly subscribers: Set<SyncSubscriber>;
}

const PREFIXES = { document: 'ET', list: 'ES', map: 'MP' } as const;

/** Sync objects, their event logs and who listens to them. It knows nothing of conversations or sockets. */
export class SyncStore {
  readonly #bySid = new Map<string, Entry>();
  readonly #byName = new Map<string, Entry>();
  #sequence = 0;

  /** @param now milliseconds since the epoch. @param historyLimit events kept per object, and items per list. */
  constructor(
    private readonly now: () => number,
    private readonly historyLimit: number,
  ) {}

  /** The sequence of the newest event over all objects. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Makes an object. Its unique name must be free. */
  create(kind: SyncKind, uniqueName: string, data: JsonObject = {}): SyncObject {
    const date = this.#date();
    const entry: Entry = {
      sid: createSid(PREFIXES[kind]),
      kind,
      uniqueName,
      dateCreated: date,
      dateUpdated: date,
      revision: 0,
      lastEventId: 0,
      data,
      items: [],
      events: [],
      subscribers: new Set(),
    };
    this.#bySid.set(entry.sid, entry);
    this.#byName.set(uniqueName, entry);
    return entry;
  }

  /** Finds an object by SID or unique name. */
  find(sidOrName: string): SyncObject | undefined {
    return this.#entry(sidOrName);
  }

  /** Forgets an object, its log and its subscribers. */
  remove(uniqueName: string): void {
    const entry = this.#byName.get(uniqueName);
    this.#byName.delete(uniqueName);
    if (entry !== undefined) this.#bySid.delete(entry.sid);
  }

  /** Replaces a document's data. */
  setDocument(uniqueName: string, data: JsonObject): void {
    const entry = this.#require(uniqueName);
    entry.data = data;
    this.#append(entry, 'updated', { data, revision: entry.revision + 1 });
  }

  /** Adds or replaces an item of a list or map. */
  putItem(uniqueName: string, key: string | number, data: JsonObject): void {
    const entry = this.#require(uniqueName);
    const position = lowerBound(entry.items, key);
    const existing = entry.items[position];
    const known = existing?.key === key ? existing : undefined;
    const date = this.#date();
    const item: SyncItem = {
      key,
      data,
      revision: (known?.revision ?? 0) + 1,
      lastEventId: entry.lastEventId + 1,
      dateCreated: known?.dateCreated ?? date,
      dateUpdated: date,
    };
    entry.items.splice(position, known === undefined ? 0 : 1, item);
    this.#append(entry, known === undefined ? 'added' : 'updated', item);
  }

  /** Removes an item. One that does not exist is no event. */
  removeItem(uniqueName: string, key: string | number): void {
    const entry = this.#require(uniqueName);
    const position = lowerBound(entry.items, key);
    const item = entry.items[position];
    if (item?.key !== key) return;
    entry.items.splice(position, 1);
    this.#append(entry, 'removed', item);
  }

  /**
   * Adds a subscriber and returns the events after `afterEventId`, oldest first.
   *
   * Both in one step: no event can fall between the replay and the first live one.
   */
  subscribe(sid: string, afterEventId: number, subscriber: SyncSubscriber): readonly SyncEvent[] {
    const entry = this.#require(sid);
    entry.subscribers.add(subscriber);
    const first = entry.events.findLastIndex((event) => event.id <= afterEventId) + 1;
    return entry.events.slice(first);
  }

  /** Ends one subscription. An unknown object or subscriber is no error. */
  unsubscribe(sid: string, subscriber: SyncSubscriber): void {
    this.#entry(sid)?.subscribers.delete(subscriber);
  }

  /** Ends all subscriptions that an identity has to an object which it may no longer see. */
  revoke(uniqueName: string, identity: string): void {
    const subscribers = this.#byName.get(uniqueName)?.subscribers ?? new Set<SyncSubscriber>();
    for (const subscriber of subscribers)
      if (subscriber.identity === identity) subscribers.delete(subscriber);
  }

  #append(entry: Entry, change: SyncEvent['change'], item: SyncEvent['item']): void {
    this.#sequence += 1;
    entry.lastEventId += 1;
    entry.revision += 1;
    entry.dateUpdated = this.#date();
    const event: SyncEvent = {
      sequence: this.#sequence,
      id: entry.lastEventId,
      change,
      date: entry.dateUpdated,
      objectRevision: entry.revision,
      item,
    };
    entry.events.push(event);
    trimOldest(entry.events, this.historyLimit);
    if (entry.kind === 'list') trimOldest(entry.items, this.historyLimit);
    for (const subscriber of entry.subscribers) subscriber.deliver(entry, event);
  }

  #entry(sidOrName: string): Entry | undefined {
    return this.#bySid.get(sidOrName) ?? this.#byName.get(sidOrName);
  }

  #require(sidOrName: string): Entry {
    const entry = this.#entry(sidOrName);
    if (entry === undefined) throw new Error(`There is no Sync object ${sidOrName}.`);
    return entry;
  }

  #date(): string {
    return new Date(this.now()).toISOString();
  }
}
