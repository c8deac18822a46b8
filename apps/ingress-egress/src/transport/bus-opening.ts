import { type Clock, type Logger, messageOf, sleep } from '@bitbrat/foundation';

/** One thing that must be opened on the bus. */
export interface OpeningTask {
  /** For logs and readiness, such as `egress events`. */
  readonly name: string;
  /** Rejects with the reason where it cannot be opened at present. */
  readonly open: () => Promise<void>;
}

/** Milliseconds between two attempts after the bus has refused: doubling from the first to the second. */
const RETRY_MS = { first: 500, longest: 5_000 } as const;

/** Opens what the service needs on the bus, for as long as it takes: a bus that is away or refuses may be mended. */
export class BusOpening {
  readonly #faults = new Map<string, string>();
  readonly #stopped = new AbortController();
  readonly #done = new Map<string, Promise<boolean>>();

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** What is not open, and why; undefined: all is. */
  get fault(): string | undefined {
    const [first] = this.#faults;
    return first === undefined ? undefined : `${first[0]}: ${first[1]}`;
  }

  /** Resolves with true when it is open, with false when the service stops first. Never rejects. */
  open(task: OpeningTask): Promise<boolean> {
    const known = this.#done.get(task.name);
    if (known !== undefined) return known;
    this.#faults.set(task.name, 'not open yet');
    const opening = this.#run(task);
    this.#done.set(task.name, opening);
    return opening;
  }

  /** Nothing more is tried, and whoever waits is released. */
  stop(): void {
    this.#stopped.abort();
  }

  async #run({ name, open }: OpeningTask): Promise<boolean> {
    const { signal } = this.#stopped;
    const stopped = new Promise<'stopped'>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve('stopped');
      });
    });
    for (
      let waitMs = RETRY_MS.first as number;
      !signal.aborted;
      waitMs = Math.min(waitMs * 2, RETRY_MS.longest)
    ) {
      const result = await Promise.race([stopped, attempt(open)]);
      if (result === 'stopped') return false;
      if (result === 'open') {
        if (waitMs > RETRY_MS.first) this.logger.info('service.bus-opened', { what: name });
        this.#faults.delete(name);
        return true;
      }
      if (this.#faults.get(name) !== result.reason) {
        this.logger.warn('service.bus-refuses', { what: name, reason: result.reason });
      }
      this.#faults.set(name, result.reason);
      await sleep(this.clock, waitMs, signal);
    }
    return false;
  }
}

async function attempt(open: () => Promise<void>): Promise<'open' | { readonly reason: string }> {
  try {
    await open();
    return 'open';
  } catch (error) {
    return { reason: messageOf(error) };
  }
}
