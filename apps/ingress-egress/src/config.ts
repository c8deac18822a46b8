import {
  type ConfigFault,
  type Environment,
  parseEnvironment,
  wholeNumberVariable,
} from '@bitbrat/connectors-core';
import { busPrefixSchema, instanceIdSchema } from '@bitbrat/envelope';
import { z } from 'zod';
import { emulatorVariable, projectVariable } from './settings/google-cloud.js';

const flag = (fallback: boolean): z.ZodType<boolean> =>
  z
    .enum(['true', 'false'], 'expected true or false')
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true');

/** Reads each variable by itself. */
const variablesSchema = z
  .object({
    HOST: z.string().default('0.0.0.0'),
    PORT: wholeNumberVariable(0, 65_535, 3_000, 'a port'),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'expected debug, info, warn, error or silent')
      .default('info'),
    // A header carries other characters differently from client to client, so such a token would open nothing.
    DEBUG_TOKEN: z
      .string()
      .regex(/^[\x20-\x7e]{16,}$/, 'expected at least 16 characters of printable ASCII')
      .optional(),
    MESSAGE_BUS_DRIVER: z.enum(['memory', 'pubsub'], 'expected memory or pubsub').default('memory'),
    BUS_PREFIX: busPrefixSchema.default(''),
    INGRESS_WITHOUT_SUBSCRIBER: z.enum(['hold', 'publish'], 'expected hold or publish').default('hold'),
    BUS_MAX_IN_FLIGHT: wholeNumberVariable(1, 100_000, 1_000, 'messages'),
    EGRESS_INSTANCE_ID: instanceIdSchema.optional(),
    EGRESS_MAX_ATTEMPTS: wholeNumberVariable(1, 100, 8, 'attempts'),
    EGRESS_GIVE_UP_AFTER_SECONDS: wholeNumberVariable(1, 3_600, 600, 'seconds'),
    GOOGLE_CLOUD_PROJECT: projectVariable,
    PUBSUB_EMULATOR_HOST: emulatorVariable('localhost:8085'),
    PUBSUB_CREATE_MISSING: flag(true),
    STATE_STORE_DRIVER: z.enum(['file', 'firestore'], 'expected file or firestore').default('file'),
    STATE_FILE: z.string().default('.state/ingress-egress.json'),
    FIRESTORE_COLLECTION: z
      .string()
      .regex(
        /^(?!\.{1,2}$|__.*__$)[^/]{1,100}$/,
        'expected the name of a collection, without a slash, not ".", ".." or "__x__"',
      )
      .default('ingress-egress'),
    FIRESTORE_EMULATOR_HOST: emulatorVariable('localhost:8080'),
    ECHO_BOT_ENABLED: flag(false),
  })
  .transform((env) => ({
    host: env.HOST,
    port: env.PORT,
    logLevel: env.LOG_LEVEL,
    debugToken: env.DEBUG_TOKEN,
    instanceId: env.EGRESS_INSTANCE_ID,
    echoBot: env.ECHO_BOT_ENABLED,
    projectId: env.GOOGLE_CLOUD_PROJECT ?? '',
    bus: {
      driver: env.MESSAGE_BUS_DRIVER,
      prefix: env.BUS_PREFIX,
      maxInFlight: env.BUS_MAX_IN_FLIGHT,
      emulatorHost: env.PUBSUB_EMULATOR_HOST,
      createMissing: env.PUBSUB_CREATE_MISSING,
      holdIngress: env.INGRESS_WITHOUT_SUBSCRIBER === 'hold',
    },
    state: {
      driver: env.STATE_STORE_DRIVER,
      file: env.STATE_FILE,
      collection: env.FIRESTORE_COLLECTION,
      emulatorHost: env.FIRESTORE_EMULATOR_HOST,
    },
    egress: {
      maxAttempts: env.EGRESS_MAX_ATTEMPTS,
      giveUpAfterMs: env.EGRESS_GIVE_UP_AFTER_SECONDS * 1_000,
      backoff: { baseMs: 1_000, maxMs: 30_000 },
    },
  }));

export type ServiceConfig = z.infer<typeof variablesSchema>;

/**
 * The service's own environment variables. Each connector has a schema of its own.
 *
 * What one variable demands of another is checked beside the variables themselves, so that all faults are told at once.
 */
export const serviceConfigSchema: z.ZodType<ServiceConfig> = z
  .record(z.string(), z.unknown())
  .transform((environment, context) => {
    const parsed = variablesSchema.safeParse(environment);
    for (const { path, message } of parsed.error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    const demands = ['MESSAGE_BUS_DRIVER is pubsub', 'STATE_STORE_DRIVER is firestore'].filter((demand) => {
      const [variable = '', value] = demand.split(' is ');
      return environment[variable] === value;
    });
    if (demands.length > 0 && environment['GOOGLE_CLOUD_PROJECT'] === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['GOOGLE_CLOUD_PROJECT'],
        message: `expected the Google Cloud project, because ${demands.join(' and ')}`,
      });
    }
    return parsed.success ? parsed.data : z.NEVER;
  });

/** Names every faulty variable and what was expected; no value, for it may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, expected }) => `  ${variable}: ${expected}`);
    super(
      `the configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${lines.join('\n')}`,
    );
  }
}

/** Parses several schemas and collects the faults of all. */
export class ConfigReader {
  readonly #faults: ConfigFault[] = [];

  constructor(private readonly environment: Environment) {}

  /** The config, or undefined where it has faults, which `check` then throws. */
  read<T>(schema: z.ZodType<T>): T | undefined {
    const result = parseEnvironment(schema, this.environment);
    if (result.ok) return result.config;
    this.#faults.push(...result.faults);
    return undefined;
  }

  /** @throws ConfigError with the faults of everything that was read */
  check(): void {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults);
  }
}
