import { keepAliveClock } from '@bitbrat/foundation';
import { BusError, createPubSubBus } from '@bitbrat/message-bus';
import { type Bot, type RunningBot, type RunOptions } from './bot.js';
import { BotError } from './bot-error.js';
import { cureFor, withCures } from './bus-faults.js';
import { createLogger, standardOutput } from './logger.js';
import { namesOf } from './names.js';
import { processEnvironment } from './process-environment.js';
import { type BusSettings, checkBot, readBusSettings, readLimits } from './settings.js';
import { stopOnSignals } from './signals.js';
import { startBot } from './start-bot.js';

/**
 * Runs a bot on the bus that the environment names: `PUBSUB_EMULATOR_HOST` (a bus on this machine) or Google Cloud,
 * `GOOGLE_CLOUD_PROJECT`, `BUS_PREFIX`.
 *
 * Resolves when the bot is subscribed: every message that is written from then on reaches it. While the bus is away it waits and
 * says so. Messages come at least once; one that was handled is not handled again by this process.
 * @throws BotError `INVALID_OPTION`, or `BUS` where the bus refuses what the bot needs
 */
export async function runBot(bot: Bot & RunOptions): Promise<RunningBot> {
  checkBot(bot);
  const limits = readLimits(bot);
  const settings = readBusSettings(bot.environment ?? processEnvironment());
  const logger = bot.logger ?? createLogger(bot.name, standardOutput());
  const clock = keepAliveClock;
  const names = namesOf(bot.name, settings.prefix);
  const open = (createMissing: boolean): ReturnType<typeof createPubSubBus> =>
    createPubSubBus({
      projectId: settings.projectId,
      ...(settings.emulatorHost === undefined ? {} : { emulatorHost: settings.emulatorHost }),
      createMissing,
      logger: withCures(logger, settings, clock),
    });
  const [bus, answers] = [open(bot.createMissing ?? true), open(false)];
  const where = settings.emulatorHost ?? 'Google Cloud';
  logger.info('bot.starting', { bus: where, project: settings.projectId });
  let running: RunningBot | undefined;
  const signals = bot.signals === false ? undefined : stopOnSignals(process, () => running);
  try {
    const started = await startBot(bot, { bus, answers, names, limits, logger, clock, random: Math.random });
    running = started;
    logger.info('bot.ready', { topic: names.ingress, subscription: names.messages });
    return {
      stop: () => {
        signals?.dispose();
        return started.stop();
      },
    };
  } catch (error) {
    signals?.dispose();
    await Promise.all([bus.close(0), answers.close(0)]);
    throw toBotError(error, settings);
  }
}

function toBotError(error: unknown, settings: BusSettings): unknown {
  if (!(error instanceof BusError)) return error;
  const cure = cureFor(`${error.code} ${error.message}`, settings);
  return new BotError('BUS', cure === undefined ? error.message : `${error.message}. ${cure}`, {
    cause: error,
  });
}
