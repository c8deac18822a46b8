import { type Random } from './random.js';

/** Ends a fault. What heals by itself needs none. */
export type Heal = () => Promise<void> | void;

/** How long a fault lasts and what else the seed decides about it. */
export interface FaultContext {
  readonly durationMs: number;
  readonly random: Random;
}

/** One row of the table of faults. */
export interface Fault {
  /** `{lane}.{what}`: `twilio.drop`. Of one lane one fault is at work at a time; lanes go on side by side. */
  readonly name: string;
  /** How often it is chosen, against the others of its lane. */
  readonly weight: number;
  /** Least and most milliseconds between cause and heal; `[0, 0]` for what is over at once. */
  readonly lastsMs: readonly [number, number];
  /** Whether it heals within seconds, so that a short run can afford it. */
  readonly quick: boolean;
  /** `false` where everything else goes on as before, so that it excuses nothing elsewhere. */
  readonly disturbs?: false;
  /** Whether the process stands still meanwhile, and hears afterwards what was sent to it. */
  readonly isStandstill?: true;
  /**
   * Connections of the service are closed as soon as it is caused: what is published later is lent to nobody.
   */
  readonly severs?: true;
  /** Milliseconds that the service may take to notice it, because nothing but a watchdog can. */
  readonly detectionMs?: number;
  /** Everything that is needed goes on meanwhile. */
  readonly isOverlap?: true;
  /**
   * Resolves when it is caused; with `undefined` where nothing is to heal. Rejects where it cannot be caused
   * now.
   */
  cause(context: FaultContext): Promise<Heal | undefined> | Heal | undefined;
}

/**
 * Milliseconds after which a fault that was over at once has been noticed: a half-open connection takes
 * longest.
 */
export const AFTERMATH_MS = 30_000;

/**
 * Lanes whose faults make the bus take back what the service has in hand: when the clock is set, the service
 * reads by a new stream.
 */
export const LEASE_BREAKING: readonly string[] = ['service', 'bus', 'clock'];

/** The part of a fault's name before the dot. */
export function laneOf(name: string): string {
  return name.split('.', 1)[0] ?? name;
}

/**
 * The faults that a selection names: `all`, `none`, or a list of names and lanes.
 * @throws Error that names what is unknown and what there is
 */
export function selectFaults(all: readonly Fault[], selection: readonly string[]): readonly Fault[] {
  if (selection.includes('none')) return [];
  if (selection.includes('all')) return all;
  const unknown = selection.filter((word) => !all.some(({ name }) => name === word || laneOf(name) === word));
  if (unknown.length > 0) {
    const names = all.map(({ name }) => name).join(', ');
    throw new Error(`--faults: unknown ${unknown.join(', ')}; there are all, none, ${names}`);
  }
  return all.filter(({ name }) => selection.includes(name) || selection.includes(laneOf(name)));
}
