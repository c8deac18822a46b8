import { type GapFact } from '../facts.js';

/** From then on the service's clock was ahead by so much. */
export interface ClockSetting {
  /** Milliseconds since 1970, by the true clock. */
  readonly from: number;
  readonly clockMs: number;
}

/** Milliseconds that the service takes to notice that its clock was set, and by which clocks of one machine may differ. */
const NOTICE_MS = 500;

/** Milliseconds by which the service dates a gap's beginning early, and some more. */
const EARLY_MS = 3_000;

/**
 * A gap as it was, where the service's clock has lied about its ends. Its beginning may be dated by the platform: then the earlier of both counts.
 * @param settings oldest first; the first one holds from the beginning
 * @param reportedAt when the bus delivered the report, in milliseconds since 1970
 */
export function toTrueGap(gap: GapFact, settings: readonly ClockSetting[], reportedAt: number): GapFact {
  return {
    ...gap,
    from: Math.min(gap.from, toTrueTime(gap.from, settings, reportedAt)),
    to: toTrueTime(gap.to, settings, reportedAt),
  };
}

/** The last moment not after `before` at which a clock that was set so showed that time; where none fits, the time itself. */
function toTrueTime(shown: number, settings: readonly ClockSetting[], before: number): number {
  const lies = settings.flatMap(({ clockMs, from }, i) => {
    const time = shown - clockMs;
    const until = Math.min(before, settings[i + 1]?.from ?? Infinity) + NOTICE_MS;
    return clockMs !== 0 && time >= from - EARLY_MS && time <= until ? [time] : [];
  });
  const times = shown <= before + NOTICE_MS ? [shown, ...lies] : lies;
  return times.length === 0 ? shown : Math.max(...times);
}
