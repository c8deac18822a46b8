import { type BusKind } from './machinery/campaign-bus.js';
import { type JournalEntry } from './journal.js';
import { type Finding, type Verdict } from './account/verdict.js';

/** What a run is made of. */
export interface RunOptions {
  readonly seed: number;
  /** So many, one after the other on the same state, with the seeds from `seed` on. */
  readonly runs: number;
  /** Milliseconds of load and faults of a run. */
  readonly spanMs: number;
  /** Messages that people write a second. */
  readonly rate: number;
  readonly platforms: readonly string[];
  /** Where the service keeps its state. */
  readonly store: 'file' | 'firestore';
  readonly bus: BusKind;
  /** Names and lanes of faults, `all` or `none`. */
  readonly faults: readonly string[];
  /** How long the bus is away in one piece, besides, in milliseconds; 0: not at all. */
  readonly outageMs: number;
  /** Stretches the time between two faults of a lane; default: 1. */
  readonly peace?: number;
  /** Only faults that heal within seconds. */
  readonly quickOnly: boolean;
  /** Causes each planned fault once even where a slow machine has not come to it in time. Default false. */
  readonly eachOnce?: boolean;
  /** The built service's entry. */
  readonly main: string;
  /** Where logs and reports go. */
  readonly directory: string;
  /** The longest time for everything to be accounted for after all has been healed, in milliseconds. */
  readonly settleLimitMs: number;
  readonly progress: (line: string) => void;
}

/** What a run has come to. */
export interface RunReport {
  readonly seed: number;
  readonly ok: boolean;
  readonly seconds: number;
  readonly counts: Verdict['counts'];
  /** Processes of the service, the first included. */
  readonly starts: number;
  readonly faults: Readonly<Record<string, number>>;
  /**
   * Milliseconds from heal to answer: from when all that an event needs was back to its message on the
   * platform.
   */
  readonly healMs: Spread;
  readonly memoryMb: { readonly first: number; readonly most: number; readonly last: number };
  readonly findings: readonly (Finding & { readonly history: readonly JournalEntry[] })[];
  /** What concerns everybody: faults, states of connectors, gaps. */
  readonly events: readonly JournalEntry[];
}

/** Figures in short; NaN where there are none. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly most: number;
}

/** @param sorted ascending */
export function summarize(sorted: readonly number[]): Spread {
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { count: sorted.length, median: at(0.5), p95: at(0.95), most: at(1) };
}

/** A finding with its history, for people. */
export function describeFinding({ detail, history, kind }: RunReport['findings'][number]): string {
  const lines = history.map(({ at, what }) => `    ${(at / 1_000).toFixed(3).padStart(9)} s  ${what}`);
  return [`  ${kind}: ${detail}`, ...lines].join('\n');
}
