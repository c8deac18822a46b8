import { type ConnectorState } from '../connector-state.js';

interface Watched {
  status: ConnectorState['status'] | undefined;
  problems: number;
  count: number;
  readonly waiting: Set<() => void>;
}

/** Wakes what waits for a connection. A connector that reports fewer problems than before counts as connected again. */
export class ConnectionWatch {
  readonly #connectors = new Map<string, Watched>();

  /** To be called at each change of a connector's state. */
  note(name: string, state: ConnectorState): void {
    const watched = this.#watched(name);
    const problems = state.status === 'connected' ? (state.problemCount ?? 0) : 0;
    const isBetter = watched.status !== 'connected' || problems < watched.problems;
    watched.status = state.status;
    watched.problems = problems;
    if (state.status !== 'connected' || !isBetter) return;
    watched.count += 1;
    const woken = [...watched.waiting];
    watched.waiting.clear();
    for (const wake of woken) wake();
  }

  /** How often the connector has connected. */
  count(name: string): number {
    return this.#connectors.get(name)?.count ?? 0;
  }

  /**
   * Resolves when the connector has connected more often than `seen` times, at once where it has, or when `signal` is
   * aborted. Never rejects.
   */
  wait(name: string, seen: number, signal: AbortSignal): Promise<void> {
    const { count, waiting } = this.#watched(name);
    return new Promise((resolve) => {
      if (signal.aborted || count > seen) {
        resolve();
        return;
      }
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #watched(name: string): Watched {
    let watched = this.#connectors.get(name);
    if (watched === undefined) {
      watched = { status: undefined, problems: 0, count: 0, waiting: new Set() };
      this.#connectors.set(name, watched);
    }
    return watched;
  }
}
