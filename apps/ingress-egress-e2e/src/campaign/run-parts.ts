import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FirestoreEmulator,
  freePort,
  type PubSubEmulator,
  startFirestoreEmulator,
} from '@bitbrat/emulators';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { BusProxy } from './bus-proxy.js';
import { BusWatch, INSTANCE_ID } from './bus-watch.js';
import { type CampaignPlatform } from './campaign-platform.js';
import { startEmulatedBus } from './emulated-bus.js';
import { Injector } from './injector.js';
import { Journal } from './journal.js';
import { createPlatforms, sandboxOptions } from './platforms.js';
import { type RunOptions } from './run-report.js';
import { ServiceProcess } from './service-process.js';

/** Everything that a run needs: emulator, proxy, sandbox, service, bot. */
export interface RunParts {
  readonly emulator: PubSubEmulator;
  readonly journal: Journal;
  readonly platforms: readonly CampaignPlatform[];
  readonly proxy: BusProxy;
  readonly sandbox: Sandbox;
  /** Not started yet. */
  readonly service: ServiceProcess;
  readonly stateDirectory: string;
  /** Where the service keeps its state; undefined: in a file. */
  readonly firestore: { readonly emulator: FirestoreEmulator; readonly proxy: BusProxy } | undefined;
  readonly injector: Injector;
  readonly watch: BusWatch;
  /** Words of the bot's answer by the token of the message; to be filled. */
  readonly answers: Map<string, number>;
  /** Why the service's process ended that nobody had ended; it is started again then. */
  readonly crashes: string[];
}

const INJECTOR = join(import.meta.dirname, 'faults/injector.mjs');

/** Starts all but the service, and connects it. @param logFile of the service */
export async function startParts(options: RunOptions, logFile: string): Promise<RunParts> {
  const journal = new Journal();
  const answers = new Map<string, number>();
  const crashes: string[] = [];
  const emulator = await startEmulatedBus((options.runs * options.rate * options.spanMs) / 1_000);
  const proxy = await BusProxy.start(emulator.host);
  const sandbox = await startSandbox(sandboxOptions(options.seed));
  const stateDirectory = mkdtempSync(join(tmpdir(), 'campaign-'));
  const firestore = options.store === 'firestore' ? await startFirestore() : undefined;
  // Asked for when all else listens: nothing of ours can be given the same port.
  const port = await freePort();
  const platforms = createPlatforms(options.platforms, sandbox, `http://127.0.0.1:${port}`, options.rate);
  const injector = new Injector();
  const environment = {
    PORT: String(port),
    LOG_LEVEL: 'debug',
    EGRESS_INSTANCE_ID: INSTANCE_ID,
    // Faults last longer than eight tries may; what is given up is then a fault of the service.
    EGRESS_MAX_ATTEMPTS: '100',
    MESSAGE_BUS_DRIVER: 'pubsub',
    PUBSUB_EMULATOR_HOST: proxy.host,
    GOOGLE_CLOUD_PROJECT: emulator.projectId,
    METADATA_SERVER_DETECTION: 'none',
    ...(firestore === undefined
      ? { STATE_FILE: join(stateDirectory, 'state.json') }
      : { STATE_STORE_DRIVER: 'firestore', FIRESTORE_EMULATOR_HOST: firestore.proxy.host }),
    ...Object.fromEntries(platforms.flatMap((platform) => Object.entries(platform.environment()))),
  };
  const watch = await BusWatch.start({
    emulator,
    journal,
    answerWords: (token) => answers.get(token) ?? 0,
  });
  const service = new ServiceProcess(
    { main: options.main, environment, logFile, nodeArguments: injector.nodeArguments(INJECTOR) },
    {
      onLog: logListener(journal),
      onCrash: (reason) => {
        journal.note(`the service ended by itself: ${reason}`);
        crashes.push(reason);
        void service.start();
      },
    },
  );
  return {
    answers,
    crashes,
    emulator,
    firestore,
    injector,
    journal,
    platforms,
    proxy,
    sandbox,
    service,
    stateDirectory,
    watch,
  };
}

/** Ends them all. */
export async function stopParts(parts: RunParts): Promise<void> {
  const { emulator, firestore, injector, proxy, sandbox, service, stateDirectory, watch } = parts;
  await service.close();
  await watch.disconnect();
  await proxy.close();
  await sandbox.close();
  await emulator.stop();
  await firestore?.proxy.close();
  await firestore?.emulator.stop();
  injector.close();
  rmSync(stateDirectory, { recursive: true });
}

async function startFirestore(): Promise<NonNullable<RunParts['firestore']>> {
  const emulator = await startFirestoreEmulator({ environment: process.env });
  return { emulator, proxy: await BusProxy.start(emulator.host) };
}

/** Milliseconds within which the service's complaints of one kind are told once. */
const SAME_COMPLAINT_MS = 2_000;

/** What the service says about a message belongs to the message's history; its warnings concern everybody. */
function logListener(journal: Journal): (line: Readonly<Record<string, unknown>>) => void {
  const told = new Map<string, number>();
  return ({ message, severity, time: _time, ...fields }) => {
    const what = String(message);
    const about = [fields['event'], fields['envelope']].filter((value) => typeof value === 'string');
    if (about.length === 0) {
      if (severity === 'DEBUG' || severity === 'INFO') return;
      if (journal.now() - (told.get(what) ?? -Infinity) < SAME_COMPLAINT_MS) return;
      told.set(what, journal.now());
    }
    journal.note(`service: ${what} ${JSON.stringify(fields)}`, ...about);
  };
}
