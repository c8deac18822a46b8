import { type Disposition } from '@bitbrat/message-bus';

interface Waiting {
  readonly work: () => Promise<Disposition>;
  readonly settle: (disposition: Disposition) => void;
}

interface Lane {
  readonly key: string;
  readonly waiting: Waiting[];
}

/**
 * Runs work in order per key, and for a bounded number of keys at the same time. Keys take turns.
 *
 * When a piece of work ends with `nack`, all that waits behind it ends with `nack` too: the bus delivers it again after it.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #ready: Lane[] = [];
  #running = 0;
  #stopped = false;

  /** @param width keys that are worked on at the same time */
  constructor(private readonly width: number) {}

  /** Resolves as the work does; with `nack` where it was not begun because of a failure before it or of `stop`. */
  run(key: string, work: () => Promise<Disposition>): Promise<Disposition> {
    if (this.#stopped) return Promise.resolve('nack');
    return new Promise((settle) => {
      const known = this.#lanes.get(key);
      const lane = known ?? { key, waiting: [] };
      lane.waiting.push({ work, settle });
      if (known !== undefined) return;
      this.#lanes.set(key, lane);
      this.#ready.push(lane);
      this.#fill();
    });
  }

  /** What has not begun ends with `nack`, now and from now on. */
  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) returnAll(lane);
  }

  #fill(): void {
    while (this.#running < this.width) {
      const lane = this.#ready.shift();
      if (lane === undefined) return;
      void this.#step(lane);
    }
  }

  /** One piece of work, then the lane goes to the end of the line. */
  async #step(lane: Lane): Promise<void> {
    this.#running += 1;
    const next = lane.waiting.shift();
    const disposition = await next?.work().catch((): Disposition => 'nack');
    if (disposition === 'nack') returnAll(lane);
    if (disposition !== undefined) next?.settle(disposition);
    if (lane.waiting.length > 0) this.#ready.push(lane);
    else this.#lanes.delete(lane.key);
    this.#running -= 1;
    this.#fill();
  }
}

function returnAll(lane: Lane): void {
  for (const { settle } of lane.waiting.splice(0)) settle('nack');
}
