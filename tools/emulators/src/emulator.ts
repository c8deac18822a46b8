import { type SearchEnvironment } from './emulator-installation.js';

/** How to start an emulator. */
export interface EmulatorOptions {
  /** Where to look for programs: `process.env`. */
  readonly environment: SearchEnvironment;
  /**
   * Bound of java's heap in MiB; unbounded it takes a quarter of the machine's memory. Default 512 for Pub/Sub, which keeps
   * what was acknowledged, and 256 for Firestore.
   */
  readonly heapMb?: number;
  /** Default: a free one. */
  readonly port?: number;
}

/** A running emulator on 127.0.0.1. It ends with this process at the latest, however that ends. */
export interface Emulator {
  /** `127.0.0.1:{port}` */
  readonly host: string;
  readonly projectId: string;
  /** False after `kill` and `stop`, and when the process has ended by itself. */
  readonly isRunning: boolean;
  /** Removes all that it holds. */
  reset(): Promise<void>;
  /** SIGKILL: what it held is gone, for it keeps all in memory. Resolves when the process has ended. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}
