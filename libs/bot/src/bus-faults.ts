import { type Clock, type Logger } from '@bitbrat/foundation';
import { type BotLogger } from './bot.js';
import { type BusSettings } from './settings.js';

/** Milliseconds after which the same fault is reported again. */
const REPEAT_MS = 60_000;

/** Faults, each of a topic, that are known to have been reported. Envelopes name topics. */
const MAX_FAULTS = 1_000;

/** What a person does about a fault of the bus, by what the bus or its client said; undefined where only waiting helps. */
export function cureFor(said: string, { emulatorHost, projectId }: BusSettings): string | undefined {
  if (/default credentials|could not refresh access token|invalid_grant|UNAUTHENTICATED/i.test(said)) {
    return 'run `gcloud auth application-default login`, or run the bot with a service account. For a bus on this machine set PUBSUB_EMULATOR_HOST';
  }
  if (/PERMISSION_DENIED|FORBIDDEN|not authorized/i.test(said)) {
    return `grant the bot's account roles/pubsub.editor in the project ${projectId}; with createMissing: false the roles publisher, subscriber and viewer are enough`;
  }
  if (/topic|subscription/i.test(said) && /NOT_FOUND|missing|not found/i.test(said)) {
    return 'start the gateway, which makes its topics, or make what is missing by the command named here; look at BUS_PREFIX too';
  }
  if (
    emulatorHost !== undefined &&
    /UNAVAILABLE|ECONNREFUSED|DEADLINE_EXCEEDED|No connection|ENOTFOUND|EAI_AGAIN/i.test(said)
  ) {
    return `nothing answers at ${emulatorHost}: run \`npm start\` or \`npm run bus\` in the gateway's repository, or correct PUBSUB_EMULATOR_HOST. The bot goes on by itself`;
  }
  return undefined;
}

/** Passes the bus's events on, each with what to do about it. The same fault is reported once a minute. */
export function withCures(logger: BotLogger, settings: BusSettings, clock: Clock): Logger {
  const reported = new Map<string, number>();
  const pass =
    (level: 'warn' | 'error'): Logger['warn'] =>
    (event, fields = {}) => {
      const said = typeof fields['error'] === 'string' ? fields['error'] : '';
      const now = clock.monotonic();
      const fault = `${event} ${typeof fields['topic'] === 'string' ? fields['topic'] : ''}`;
      const before = reported.get(fault);
      if (before !== undefined && now - before < REPEAT_MS) {
        logger.debug(event, fields);
        return;
      }
      if (reported.size >= MAX_FAULTS) reported.clear();
      reported.set(fault, now);
      const cure = cureFor(said, settings);
      logger[level](event, cure === undefined ? fields : { ...fields, cure });
    };
  return {
    debug: (event, fields) => {
      logger.debug(event, fields);
    },
    info: (event, fields) => {
      logger.info(event, fields);
    },
    warn: pass('warn'),
    error: pass('error'),
  };
}
