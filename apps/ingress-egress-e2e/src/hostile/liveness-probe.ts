import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between two questions. */
const EVERY_MS = 25;

/** Asks `/livez` all the time, on a new connection each, and keeps how long the answers took. */
export class LivenessProbe {
  readonly #tookMs: number[] = [];
  #failures = 0;
  #isRunning = true;
  readonly #done: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly pid: number,
  ) {
    this.#done = this.#run();
  }

  /** Ends it. */
  async stop(): Promise<{ asked: number; failures: number; p99Ms: number; maxMs: number }> {
    this.#isRunning = false;
    await this.#done;
    const sorted = [...this.#tookMs].sort((a, b) => a - b);
    const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? Infinity;
    return { asked: sorted.length, failures: this.#failures, p99Ms, maxMs: sorted.at(-1) ?? Infinity };
  }

  /** Resident memory of the service in MiB; 0 where there is no /proc. */
  residentMib(): number {
    try {
      const pages = Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]);
      return Math.round((pages * 4_096) / 2 ** 20);
    } catch {
      return 0;
    }
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const from = performance.now();
      const answer = await fetch(`${this.url}/livez`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(5_000),
      }).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok === true) this.#tookMs.push(performance.now() - from);
      else this.#failures += 1;
      await delay(EVERY_MS);
    }
  }
}
