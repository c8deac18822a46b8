import { busPrefixSchema } from '@bitbrat/envelope';
import { type Bot, type RunOptions } from './bot.js';
import { BotError } from './bot-error.js';

/** Where the bus is. */
export interface BusSettings {
  readonly projectId: string;
  /** `host:port`; undefined on Google Cloud. */
  readonly emulatorHost: string | undefined;
  /** Put in front of each topic and subscription. */
  readonly prefix: string;
}

/** The numbers of `RunOptions` with their defaults. */
export interface Limits {
  readonly concurrency: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly drainMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As long as a subscription's name allows with a prefix in front and a suffix behind. */
const NAME = /^(?=.{1,63}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

const HOST_AND_PORT = /^(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}$/;

/** @throws BotError `INVALID_OPTION` */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw invalid(
    'name: use lower-case letters, digits and single hyphens, a letter first, 63 characters at most, such as "orders"',
  );
}

/** @throws BotError `INVALID_OPTION` for a bot without its handler */
export function checkBot(bot: Bot): void {
  checkName(bot.name);
  for (const name of ['onMessage', 'onEvent', 'onOutcome'] as const) {
    // A bot in JavaScript may have anything here.
    const isGiven = bot[name] !== undefined || name === 'onMessage';
    if (isGiven && typeof bot[name] !== 'function') throw invalid(`${name}: expected a function`);
  }
}

/** @throws BotError `INVALID_OPTION` that names the first option which is no whole number in its range */
export function readLimits(options: RunOptions): Limits {
  const whole = (name: keyof Limits, fallback: number, most: number): number => {
    const value = options[name] ?? fallback;
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw invalid(`${name}: expected a whole number from 1 to ${most}`);
  };
  return {
    concurrency: whole('concurrency', 16, 1_000),
    attempts: whole('attempts', 5, 100),
    // Google's library extends ack deadlines for an hour.
    timeoutMs: whole('timeoutMs', 300_000, 3_000_000),
    drainMs: whole('drainMs', 8_000, 3_000_000),
  };
}

/**
 * Reads the standard environment of Pub/Sub. An empty variable counts as unset.
 * @throws BotError `INVALID_OPTION` that names the variable and what to set
 */
export function readBusSettings(environment: Environment): BusSettings {
  const emulatorHost = readEmulatorHost(environment);
  const projectId = given(environment, 'GOOGLE_CLOUD_PROJECT') ?? given(environment, 'GCLOUD_PROJECT');
  if (projectId === undefined) {
    throw invalid(
      emulatorHost === undefined
        ? "no bus is configured. On this machine: run `npm start` or `npm run bus` in the gateway's repository and set PUBSUB_EMULATOR_HOST=127.0.0.1:8085 GOOGLE_CLOUD_PROJECT=local. On Google Cloud: set GOOGLE_CLOUD_PROJECT to the project of the bus"
        : 'GOOGLE_CLOUD_PROJECT is not set: set it to the project that the gateway uses, which is "local" with `npm start` and `npm run bus`',
    );
  }
  const prefix = busPrefixSchema.safeParse(given(environment, 'BUS_PREFIX') ?? '');
  if (!prefix.success) throw invalid(`BUS_PREFIX: ${prefix.error.issues[0]?.message ?? 'malformed'}`);
  return { projectId, emulatorHost, prefix: prefix.data };
}

function readEmulatorHost(environment: Environment): string | undefined {
  const host = given(environment, 'PUBSUB_EMULATOR_HOST')
    ?.replace(/^http:\/\//, '')
    .replace(/\/$/, '');
  if (host === undefined || HOST_AND_PORT.test(host)) return host;
  throw invalid('PUBSUB_EMULATOR_HOST: expected host:port, such as 127.0.0.1:8085');
}

function given(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}

const invalid = (message: string): BotError => new BotError('INVALID_OPTION', message);
