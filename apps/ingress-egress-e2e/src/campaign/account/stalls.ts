import { type StallFact } from '../facts.js';

const SAMPLE_EVERY_MS = 100;
/** A timer that comes so late shows a machine that is busy with other things. */
const NOTABLE_MS = 50;
/**
 * A message passes through three more processes of the same machine, bus, service and store, each of which
 * has more to do than a timer.
 */
const SERVICE_FACTOR = 6;

/**
 * Milliseconds by which a busy machine may have delayed the service between two moments, in milliseconds
 * since the run began.
 */
export function stalledMs(stalls: readonly StallFact[], from: number, to: number): number {
  let sum = 0;
  for (const { at, ms } of stalls) if (at >= from && at - ms <= to) sum += ms;
  return SERVICE_FACTOR * sum;
}

/** Watches how late the campaign's own timers are. */
export class StallWatch {
  readonly stalls: StallFact[] = [];
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();

  /** @param now milliseconds since the run began */
  constructor(now: () => number) {
    this.#timer = setInterval(() => {
      const time = performance.now();
      const ms = time - this.#last - SAMPLE_EVERY_MS;
      this.#last = time;
      if (ms > NOTABLE_MS) this.stalls.push({ at: now(), ms: Math.round(ms) });
    }, SAMPLE_EVERY_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
