import { type IngressGap } from '@bitbrat/connectors-core';
import { type Clock, isoTime } from '@bitbrat/foundation';
import { type PassedOver } from './conversation-cursor.js';

/** Milliseconds in which what is passed over becomes one report: a first start meets many conversations at once. */
const COLLECT_MS = 2_000;

export interface PassedOverOptions {
  readonly clock: Clock;
  /** @returns false where it cannot be reported now: it is tried again */
  readonly report: (gap: IngressGap) => boolean;
}

/** Counts the messages that are passed over because of their age, and reports them as gaps. */
export class PassedOverReport {
  #total = 0;
  #collected: PassedOver | undefined;
  #isDue = false;

  constructor(private readonly options: PassedOverOptions) {}

  /** All since the process started. */
  get total(): number {
    return this.#total;
  }

  add(passedOver: PassedOver): void {
    this.#total += passedOver.count;
    const before = this.#collected;
    this.#collected =
      before === undefined
        ? passedOver
        : {
            count: before.count + passedOver.count,
            from: Math.min(before.from, passedOver.from),
            to: Math.max(before.to, passedOver.to),
          };
    if (this.#isDue) return;
    this.#isDue = true;
    this.options.clock.setTimeout(() => {
      this.#isDue = false;
      this.flush();
    }, COLLECT_MS);
  }

  /** Reports at once what was collected. */
  flush(): void {
    const collected = this.#collected;
    if (collected === undefined) return;
    const { count, from, to } = collected;
    const gap = {
      from: isoTime(Math.max(0, from)),
      to: isoTime(Math.max(0, to)),
      reason: 'older than TWILIO_HISTORY_HOURS when the bot first read their conversations',
      lost: count,
    };
    if (this.options.report(gap)) this.#collected = undefined;
  }
}
