import { parseArgs } from 'node:util';
import { type BusKind } from './machinery/campaign-bus.js';
import { type SabotageName, SABOTAGES } from './sabotage/sabotages.js';

/** What the command line asks for. */
export interface CampaignOptions {
  readonly seed: number;
  readonly seeds: number;
  /** Runs on the same state for each seed. */
  readonly runs: number;
  readonly minutes: number;
  /** Messages that people write a second, over all platforms. */
  readonly rate: number;
  readonly faults: readonly string[];
  /** Minutes that the bus is away in one piece; 0: not at all. */
  readonly outageMinutes: number;
  readonly platforms: readonly string[];
  readonly store: 'file' | 'firestore';
  readonly bus: BusKind;
  readonly sabotage: SabotageName | undefined;
  /** Shows that each sabotage is caught. */
  readonly bite: boolean;
  /** Measures for growth over very many messages instead of causing faults. */
  readonly soak: SoakPlan | undefined;
}

/** How much is written in a soak. */
export interface SoakPlan {
  readonly messages: number;
  /** Messages a second; Infinity: as many as the service takes. */
  readonly rate: number;
}

/** The platforms that there are. */
export const PLATFORM_NAMES = ['twilio', 'discord', 'twitch'] as const;

/** What `--help` prints. */
export const HELP = `Drives load through the built service while things go wrong, and accounts for every message.

  npx nx run ingress-egress-e2e:campaign -- [options]

  --seed N          decides everything that is random: load, faults, their order and length (default 1)
  --seeds N         so many runs, with the seeds from --seed on (default 1)
  --runs N          so many runs for each seed, one after the other on the same state: bus, platforms and the
                    service's own; the second one's plan is that of the next seed (default 1)
  --minutes N       minutes of load and faults a run; settling comes on top (default 3)
  --rate N          messages that people write a second, over all platforms (default 5)
  --messages N      messages that people write in all; sets the rate instead
  --faults LIST     all, none, or names and lanes: twilio, service.kill, ... (default all)
  --outage N        besides, takes the bus away for N minutes in one piece, from a tenth of the run on (default 0)
  --platforms LIST  of ${PLATFORM_NAMES.join(', ')} (default: all)
  --store NAME      where the service keeps its state: file, or firestore, which is Google's emulator (default file)
  --bus NAME        pubsub, Google's emulator, or local, the bus of \`npm run bus\` (default pubsub); a bus within the
                    service could not be accounted for
  --sabotage NAME   runs a build that is broken on purpose: ${Object.keys(SABOTAGES).join(', ')}
  --bite            shows that the campaign fails for each of these builds, and not for the service as it is, with
                    the same seed and faults
  --soak            instead of faults: a million messages (or --messages), as fast as they go (or at --rate), with answers to a
                    tenth of them; fails where one is lost or doubled, or where the service's memory, timers, sockets or listeners grow
  --help            this text

Exit code 0 when every message is accounted for, 1 when not, 2 for a wrong option. Each run leaves a report and the
service's log in test-output/campaign of the project.`;

/** @throws Error that names the option and what was expected; @returns undefined where help is asked for */
export function parseOptions(args: readonly string[]): CampaignOptions | undefined {
  const { values } = parseArgs({
    args: args.filter((argument) => argument !== '--'),
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '3' },
      rate: { type: 'string' },
      messages: { type: 'string' },
      faults: { type: 'string', default: 'all' },
      outage: { type: 'string', default: '0' },
      platforms: { type: 'string', default: PLATFORM_NAMES.join(',') },
      store: { type: 'string', default: 'file' },
      bus: { type: 'string', default: 'pubsub' },
      sabotage: { type: 'string' },
      bite: { type: 'boolean', default: false },
      soak: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const minutes = toNumber('--minutes', values.minutes, 0.05, 600);
  const platforms = toList(values.platforms);
  const unknown = platforms.filter((name) => !PLATFORM_NAMES.some((known) => known === name));
  if (unknown.length > 0 || platforms.length === 0) {
    throw new Error(`--platforms: expected some of ${PLATFORM_NAMES.join(', ')}`);
  }
  return {
    seed: toNumber('--seed', values.seed, 0, 2 ** 31, true),
    seeds: toNumber('--seeds', values.seeds, 1, 10_000, true),
    runs: toNumber('--runs', values.runs, 1, 100, true),
    minutes,
    rate:
      values.messages === undefined
        ? toNumber('--rate', values.rate ?? '5', 0.01, 10_000)
        : toNumber('--messages', values.messages, 1, 10_000_000, true) / (minutes * 60),
    faults: toList(values.faults),
    outageMinutes: toNumber('--outage', values.outage, 0, minutes * 0.9),
    platforms,
    store: toStore(values.store),
    bus: toBus(values.bus),
    sabotage: toSabotage(values.sabotage),
    bite: values.bite,
    soak: values.soak ? toSoakPlan(values) : undefined,
  };
}

function toSoakPlan({ messages = '1000000', rate }: { messages?: string; rate?: string }): SoakPlan {
  return {
    messages: toNumber('--messages', messages, 1_000, 10_000_000, true),
    rate: rate === undefined ? Infinity : toNumber('--rate', rate, 1, 10_000),
  };
}

function toList(text: string): string[] {
  return text.split(',').flatMap((word) => word.trim() || []);
}

function toNumber(option: string, text: string, min: number, max: number, whole = false): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new Error(
    `${option}: expected a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not "${text}"`,
  );
}

function toStore(name: string): CampaignOptions['store'] {
  if (name === 'file' || name === 'firestore') return name;
  throw new Error(`--store: expected file or firestore, not "${name}"`);
}

function toBus(name: string): BusKind {
  if (name === 'pubsub' || name === 'local') return name;
  throw new Error(
    `--bus: expected pubsub or local, for what goes over the memory bus cannot be seen from outside`,
  );
}

function toSabotage(name: string | undefined): SabotageName | undefined {
  if (name === undefined) return undefined;
  const known = Object.keys(SABOTAGES).find((candidate): candidate is SabotageName => candidate === name);
  if (known === undefined) {
    throw new Error(`--sabotage: expected one of ${Object.keys(SABOTAGES).join(', ')}, not "${name}"`);
  }
  return known;
}
