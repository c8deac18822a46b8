import { createHash } from 'node:crypto';
import { type Clock, type LogFields } from '@bitbrat/foundation';
import { type LogLevel } from './sanitise.js';

/** Milliseconds for which equal events are counted instead of logged. */
export const REPEAT_INTERVAL_MS = 60_000;

/** Distinct events that are remembered at once. With more, the oldest is forgotten and logged at once when it returns. */
export const MAX_REMEMBERED = 500;

/** Fields that measure: they differ between two reports of one fault. */
const MEASURE =
  /(?:Ms|Seconds|Bytes|Count|At)$|^(?:attempts?|tries|failures|count|bytes|size|pending|age|position|index)$/;

/** Fields that are sentences. What varies inside them is left out of the comparison. */
const PROSE = /^(?:reason|error|message|hint|detail|stack)$/;

/** In this order: times, UUIDs, numbers with a unit. */
const VARYING =
  /\d{4}-\d\d-\d\dT[\d:.]+Z?|[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|\d+(?:\.\d+)? ?(?:ms|s|sec|seconds?|bytes)\b/gi;

interface Remembered {
  readonly level: LogLevel;
  readonly event: string;
  fields: LogFields;
  since: number;
  /** How often it was held back since then. */
  count: number;
}

/** Writes a summary of events that were held back. */
export type EmitRepeats = (level: LogLevel, event: string, fields: LogFields) => void;

/**
 * Holds back warnings and errors that equal one of the last minute, and counts them.
 *
 * The first is logged at once. After each interval one line has the fields of the latest and `repeated`, the number of
 * those held back. Two events are equal if level, name and fields are, apart from measurements (`waitMs`, `attempt`)
 * and from times, UUIDs and durations inside sentences. Memory is bounded; distinct events are never held back.
 */
export class RepeatFilter {
  readonly #remembered = new Map<string, Remembered>();
  #cancelSweep: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly emit: EmitRepeats,
  ) {}

  /** Whether the event is to be logged now. */
  admits(level: LogLevel, event: string, fields: LogFields): boolean {
    if (level !== 'warn' && level !== 'error') return true;
    const key = keyOf(level, event, fields);
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.fields = fields;
      return false;
    }
    if (this.#remembered.size >= MAX_REMEMBERED) this.#forgetOldest();
    this.#remembered.set(key, { level, event, fields, since: this.clock.monotonic(), count: 0 });
    this.#sweepLater();
    return true;
  }

  /** Reports what was held back, and forgets everything. */
  flush(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    while (this.#remembered.size > 0) this.#forgetOldest();
  }

  #sweepLater(): void {
    const [oldest] = this.#remembered.values();
    if (this.#cancelSweep !== undefined || oldest === undefined) return;
    const waitMs = oldest.since + REPEAT_INTERVAL_MS - this.clock.monotonic();
    this.#cancelSweep = this.clock.setTimeout(
      () => {
        this.#cancelSweep = undefined;
        this.#sweep();
        this.#sweepLater();
      },
      Math.max(waitMs, 1),
    );
  }

  /** The map is in the order of `since`. What has repeated is remembered for another interval. */
  #sweep(): void {
    const now = this.clock.monotonic();
    for (const [key, entry] of this.#remembered) {
      if (now - entry.since < REPEAT_INTERVAL_MS) return;
      this.#remembered.delete(key);
      if (entry.count === 0) continue;
      this.#report(entry);
      this.#remembered.set(key, { ...entry, since: now, count: 0 });
    }
  }

  #forgetOldest(): void {
    const [first] = this.#remembered;
    if (first === undefined) return;
    const [key, entry] = first;
    this.#remembered.delete(key);
    this.#report(entry);
  }

  #report({ count, event, fields, level, since }: Remembered): void {
    if (count === 0) return;
    const withinSeconds = Math.round((this.clock.monotonic() - since) / 1_000);
    this.emit(level, event, { ...fields, repeated: count, withinSeconds });
  }
}

function keyOf(level: LogLevel, event: string, fields: LogFields): string {
  const stable = JSON.stringify(fields, (name, value: unknown) => {
    if (MEASURE.test(name)) return undefined;
    return typeof value === 'string' && PROSE.test(name) ? value.replaceAll(VARYING, '#') : value;
  });
  return createHash('sha1').update(`${level} ${event} ${stable}`).digest('base64');
}
