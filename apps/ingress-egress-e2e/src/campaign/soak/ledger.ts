import { type FindingKind } from '../account/verdict.js';

/** The most channels of a soak, over all platforms. */
export const MAX_CHANNELS = 2 ** 16;

/** Findings of one kind that are told; more are counted. */
const TOLD = 5;

/** What a soak's messages come to. */
export interface LedgerCounts {
  readonly written: number;
  readonly published: number;
  readonly repeats: number;
  /** Answers given to the bus. */
  readonly accepted: number;
  /** Those with an outcome. */
  readonly settled: number;
  /** Those that stand on their platform. */
  readonly standing: number;
}

/**
 * Accounts for every message of a soak in some bytes each, where the campaign's journal would keep kilobytes.
 *
 * Messages are numbered from 0 over all channels in the order of writing, so that order and place follow from the number; the answer to a
 * message has its number, too.
 */
export class Ledger {
  readonly #channels: Uint16Array;
  /** Hashes of the ids; 0: not known yet. */
  readonly #ids: Uint32Array;
  readonly #published: Uint8Array;
  readonly #accepted: Uint8Array;
  readonly #settled: Uint8Array;
  readonly #standing: Uint8Array;
  readonly #lastPublished = new Map<number, number>();
  readonly #lastStanding = new Map<number, number>();
  readonly #findings = new Map<FindingKind, { count: number; readonly details: string[] }>();
  readonly #counts = { written: 0, published: 0, repeats: 0, accepted: 0, settled: 0, standing: 0 };

  /** @param capacity the most messages that people will write */
  constructor(capacity: number) {
    this.#channels = new Uint16Array(capacity);
    this.#ids = new Uint32Array(capacity);
    this.#published = new Uint8Array(capacity);
    this.#accepted = new Uint8Array(capacity);
    this.#settled = new Uint8Array(capacity);
    this.#standing = new Uint8Array(capacity);
  }

  get counts(): LedgerCounts {
    return { ...this.#counts };
  }

  /** Messages that were written and not published yet. */
  get underWay(): number {
    return this.#counts.written - this.#counts.published;
  }

  /** Answers without an outcome. */
  get unsettled(): number {
    return this.#counts.accepted - this.#counts.settled;
  }

  /** Somebody is about to write in a channel. @returns the message's number */
  write(channel: number): number {
    const message = this.#counts.written;
    if (message >= this.#channels.length) throw new Error(`the ledger holds ${message} messages only`);
    this.#channels[message] = channel;
    this.#counts.written += 1;
    return message;
  }

  /** The platform has taken it. @param id that its envelope must have */
  wrote(message: number, id: string): void {
    this.#identify(message, id);
  }

  /**
   * The bus has delivered an envelope. @param message undefined where its text has no number @param channel undefined where nobody writes
   * @returns whether it is the first publication
   */
  published(message: number | undefined, id: string, channel: number | undefined): boolean {
    const before = message === undefined ? undefined : this.#published[message];
    if (message === undefined || before === undefined || message >= this.#counts.written) {
      this.#find('ingress invented', `${id}: nobody wrote it`);
      return false;
    }
    if (this.#channels[message] !== channel || !this.#identify(message, id)) {
      this.#find('ingress changed', `${id} has the text of message ${message}`);
    }
    this.#published[message] = 1;
    if (before > 0) {
      this.#counts.repeats += 1;
      return false;
    }
    this.#counts.published += 1;
    this.#inOrder('ingress out of order', this.#lastPublished, message);
    return true;
  }

  /** A bot gives the answer to a message to the bus. */
  accept(message: number): void {
    this.#accepted[message] = 1;
    this.#counts.accepted += 1;
  }

  /** The service tells what became of an answer. */
  settle(message: number, status: string): void {
    if (this.#accepted[message] !== 1) {
      this.#find('egress invented', `outcome ${status} of answer ${message}, which nobody gave`);
      return;
    }
    if (status !== 'sent') this.#find('egress given up', `answer ${message}: ${status}`);
    if (this.#settled[message] === 0) this.#counts.settled += 1;
    this.#settled[message] = 1;
  }

  /** The platform shows an answer in a channel. @param message undefined where its text has no number */
  stands(message: number | undefined, channel: number): void {
    if (message === undefined || this.#accepted[message] !== 1 || this.#channels[message] !== channel) {
      this.#find('egress invented', `${message ?? 'a text'} stands in channel ${channel}`);
      return;
    }
    if (this.#standing[message] === 1) {
      this.#find('egress doubled', `answer ${message} stands twice`);
      return;
    }
    this.#standing[message] = 1;
    this.#counts.standing += 1;
    this.#inOrder('egress out of order', this.#lastStanding, message);
  }

  /** Everything that is wrong, and with `isOver` everything that is missing, too. */
  findings(isOver: boolean): readonly string[] {
    const missing = isOver ? this.#missing() : [];
    const wrong = [...this.#findings].flatMap(([kind, { count, details }]) => [
      ...details.map((detail) => `${kind}: ${detail}`),
      ...(count > TOLD ? [`${kind}: ${count - TOLD} more`] : []),
    ]);
    return [...wrong, ...missing];
  }

  #missing(): string[] {
    const { accepted, published, settled, standing, written } = this.#counts;
    const first = (given: Uint8Array | undefined, there: Uint8Array): number =>
      there.findIndex((value, message) => value === 0 && message < written && given?.[message] !== 0);
    const rows: readonly (readonly [FindingKind, number, number])[] = [
      ['ingress missing', written - published, first(undefined, this.#published)],
      ['egress without outcome', accepted - settled, first(this.#accepted, this.#settled)],
      ['egress missing', accepted - standing, first(this.#accepted, this.#standing)],
    ];
    return rows.flatMap(([kind, count, example]) =>
      count === 0 ? [] : [`${kind}: ${count}, number ${example} first`],
    );
  }

  #inOrder(kind: FindingKind, lasts: Map<number, number>, message: number): void {
    const channel = this.#channels[message] ?? 0;
    const last = lasts.get(channel) ?? -1;
    lasts.set(channel, Math.max(last, message));
    if (message < last) this.#find(kind, `${message} came behind ${last} of the same channel`);
  }

  /** @returns whether it is the id that the message had before, if it had one */
  #identify(message: number, id: string): boolean {
    const hash = hashOf(id);
    const before = this.#ids[message];
    this.#ids[message] = hash;
    return before === 0 || before === hash;
  }

  #find(kind: FindingKind, detail: string): void {
    const found = this.#findings.get(kind) ?? { count: 0, details: [] };
    this.#findings.set(kind, found);
    found.count += 1;
    if (found.count <= TOLD) found.details.push(detail);
  }
}

/** FNV-1a, never 0. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}
