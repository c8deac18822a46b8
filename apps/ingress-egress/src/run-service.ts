import { hostname } from 'node:os';
import { systemClock } from '@bitbrat/foundation';
import { createBus, createStateStore, readSettings } from './composition.js';
import { ConfigError } from './config.js';
import { IngressEgressServer } from './ingress-egress-server.js';
import { METADATA_INSTANCE_ID_URL, resolveInstanceId } from './instance-id.js';
import { createLogger } from './logging/logger.js';
import { guardStandardStreams } from './logging/standard-streams.js';
import { guardProcess } from './process-guard.js';
import { EnvFileError, loadEnvFile } from './settings/env-file.js';
import { noteEnvironment, PROXY_HINT } from './settings/environment-notes.js';

/** After a stop that hangs, the process ends all the same, before Cloud Run's ten seconds are over. */
const HARD_STOP_MS = 9_500;

/** Milliseconds that the last lines get to be written. */
const FLUSH_MS = 500;

let onWarning = ({ message, name }: Error): void => {
  process.stderr.write(`${name}: ${message}\n`);
};
const streams = guardStandardStreams((warning) => {
  onWarning(warning);
});

/**
 * The service as a process: starts, and stops on SIGTERM and SIGINT at any moment of the start. Never rejects: where it cannot
 * start it says why and ends the process.
 */
export async function runService(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    await run(environment);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`ingress-egress cannot start: ${message}\n`);
    const isConfig = error instanceof ConfigError || error instanceof EnvFileError;
    await streams.exit(isConfig ? 78 : 1, FLUSH_MS); // 78: EX_CONFIG of sysexits.h
  }
}

async function run(environment: NodeJS.ProcessEnv): Promise<void> {
  loadEnvFile(environment);
  const settings = readSettings(environment);
  const logger = createLogger(settings.service.logLevel, streams.stdout);
  streams.stdout.onRecovered((dropped) => {
    logger.error('log.lines-dropped', { ...dropped });
  });
  onWarning = ({ message, name }) => {
    logger.warn('process.warning', { name, reason: message });
  };
  const { proxies, unknown } = noteEnvironment(environment);
  for (const note of unknown) logger.warn('settings.unknown-variable', { ...note });
  if (proxies.length > 0) logger.warn('settings.proxy-ignored', { variables: proxies, hint: PROXY_HINT });
  // Filled when the server is made: a stop may be asked for before.
  const running: { server?: IngressEgressServer } = {};
  const stop = (reason: string, code: number): void => {
    logger.info('service.stop-requested', { reason });
    // Not `exit`, which waits for threads that look up a name or write to a disk.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), HARD_STOP_MS).unref();
    // SDKs leave timers behind that would keep the process alive for up to a day.
    void Promise.resolve(running.server?.stop(code !== 0)).finally(() => {
      logger.flush();
      return streams.exit(code, FLUSH_MS);
    });
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Those of the time before this module was loaded.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      stop(signal, 0);
    });
  }
  guardProcess(process, {
    claim: (reason, origin) => running.server?.claimFault(reason, origin) === true,
    stop,
    logger,
  });
  const instanceId = await resolveInstanceId({
    configured: settings.service.instanceId,
    metadataUrl: (environment['K_SERVICE'] ?? '') === '' ? undefined : METADATA_INSTANCE_ID_URL,
    hostName: hostname(),
  });
  running.server = new IngressEgressServer({
    config: settings.service,
    connectors: settings.connectors,
    bus: createBus(settings.service, logger),
    instanceId,
    isTemporaryInstance:
      settings.service.bus.driver === 'pubsub' && settings.service.instanceId === undefined,
    clock: systemClock,
    logger,
    random: Math.random,
    store: createStateStore(settings.service, logger),
    droppedLogLines: () => streams.dropped,
  });
  await running.server.start();
}
