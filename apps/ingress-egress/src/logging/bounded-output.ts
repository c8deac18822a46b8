/** Writes text somewhere, without blocking. Calls back once, when it is written or has failed. May throw. */
export type TextWriter = (text: string, done: (error?: Error | null) => void) => void;

/** Characters that wait for a writer that stands still. A line of the log has about 200. */
export const MAX_WAITING = 1_048_576;

/** Characters that are written at once. */
const BATCH = 65_536;

/** Lines that could not be written. */
export interface DroppedLines {
  /** Since the last report. */
  readonly count: number;
  /** Since the start of the process. */
  readonly total: number;
  /** The system's error code; `FULL` where the reader stands still. */
  readonly reason: string;
}

/**
 * Lines on their way to a file, terminal or pipe that may be full, slow, frozen or gone.
 *
 * `write` neither blocks nor throws. What waits is bounded: lines beyond it, and lines whose write fails, are dropped
 * and counted. The count is reported when a line can be written again.
 */
export class BoundedOutput {
  #waiting: string[] = [];
  #waitingLength = 0;
  #inFlight = 0;
  #unreported = 0;
  #total = 0;
  #reason = '';
  #onRecovered: ((dropped: DroppedLines) => void) | undefined;
  readonly #onIdle: (() => void)[] = [];

  constructor(private readonly writer: TextWriter) {}

  /** Lines dropped since the start of the process. */
  get dropped(): number {
    return this.#total;
  }

  /** Whether a write is in flight. */
  get isBusy(): boolean {
    return this.#inFlight > 0;
  }

  /** @param listener called when a line could be written after some were dropped */
  onRecovered(listener: (dropped: DroppedLines) => void): void {
    this.#onRecovered = listener;
  }

  write(line: string): void {
    if (this.#waitingLength + line.length > MAX_WAITING) {
      this.#drop(1, 'FULL');
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (this.#inFlight === 0) this.#writeNext();
  }

  /** Resolves when nothing waits, or after `ms`: then with false. */
  flush(ms: number): Promise<boolean> {
    if (this.#inFlight === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve(false);
      }, ms);
      this.#onIdle.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  #writeNext(): void {
    const batch = this.#takeBatch();
    this.#inFlight = batch.length;
    let isDone = false;
    const done = (error?: Error | null): void => {
      if (isDone) return;
      isDone = true;
      this.#written(error ?? undefined);
    };
    try {
      this.writer(batch.join(''), done);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #takeBatch(): string[] {
    let length = 0;
    const end = this.#waiting.findIndex((line, index) => {
      length += line.length;
      return index > 0 && length > BATCH;
    });
    const batch = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    for (const { length: taken } of batch) this.#waitingLength -= taken;
    return batch;
  }

  #written(error: Error | undefined): void {
    const lines = this.#inFlight;
    this.#inFlight = 0;
    if (error !== undefined) this.#drop(lines, codeOf(error));
    else if (this.#unreported > 0) this.#report();
    // A report may have begun a write.
    if (this.isBusy) return;
    if (this.#waiting.length > 0) this.#writeNext();
    else for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #drop(lines: number, reason: string): void {
    this.#unreported += lines;
    this.#total += lines;
    this.#reason = reason;
  }

  #report(): void {
    const dropped = { count: this.#unreported, total: this.#total, reason: this.#reason };
    this.#unreported = 0;
    this.#onRecovered?.(dropped);
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
