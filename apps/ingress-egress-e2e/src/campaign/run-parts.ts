import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FirestoreEmulator, freePort, startFirestoreEmulator } from '@bitbrat/emulators';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { BusProxy } from './machinery/bus-proxy.js';
import { BusWatch, INSTANCE_ID } from './load/bus-watch.js';
import { type CampaignPlatform } from './campaign-platform.js';
import { type CampaignBus, startBus } from './machinery/campaign-bus.js';
import { type RetryFact, type StateFact } from './facts.js';
import { HostileMedia } from './load/hostile-media.js';
import { Injector } from './machinery/injector.js';
import { Journal } from './journal.js';
import { type AnswerPlan } from './plan.js';
import { createPlatforms, sandboxOptions, webhookUrl } from './platforms.js';
import { type RunOptions } from './run-report.js';
import { ServiceFleet } from './machinery/service-fleet.js';
import { type ServiceListener } from './machinery/service-process.js';
import { StallWatch } from './account/stalls.js';

/** Everything that a run needs: bus, proxy, sandbox, service, bot. */
export interface RunParts {
  readonly bus: CampaignBus;
  readonly journal: Journal;
  readonly platforms: readonly CampaignPlatform[];
  readonly proxy: BusProxy;
  readonly sandbox: Sandbox;
  /** Not started yet. */
  readonly fleet: ServiceFleet;
  readonly media: HostileMedia;
  readonly stalls: StallWatch;
  /** What the service's log says of its connectors and its tries. */
  readonly told: { readonly states: readonly StateFact[]; readonly retries: readonly RetryFact[] };
  readonly stateDirectory: string;
  /** Where the service keeps its state; undefined: in a file. */
  readonly firestore: { readonly emulator: FirestoreEmulator; readonly proxy: BusProxy } | undefined;
  readonly injector: Injector;
  readonly watch: BusWatch;
  /** The bot's answers by the token of the message; to be filled. */
  readonly answers: Map<string, AnswerPlan>;
  /** Why the service's process ended that nobody had ended; it is started again then. */
  readonly crashes: string[];
}

const INJECTOR = join(import.meta.dirname, 'faults/injector.mjs');

/** Starts all but the service, and connects it. @param logFile of the service */
export async function startParts(options: RunOptions, logFile: string): Promise<RunParts> {
  const journal = new Journal();
  const answers = new Map<string, AnswerPlan>();
  const crashes: string[] = [];
  const bus = await startBus(options.bus, (options.runs * options.rate * options.spanMs) / 1_000);
  const proxy = await BusProxy.start(bus.host);
  const sandbox = await startSandbox(sandboxOptions(options.seed));
  const stateDirectory = mkdtempSync(join(tmpdir(), 'campaign-'));
  const firestore = options.store === 'firestore' ? await startFirestore() : undefined;
  // Asked for when all else listens: nothing of ours can be given the same port.
  const media = await HostileMedia.start();
  const ports = [await freePort(), await freePort()] as const;
  const url = `http://127.0.0.1:${ports[0]}`;
  const platforms = createPlatforms(options.platforms, sandbox, url, options.rate, media.host);
  const injector = new Injector();
  const environment = {
    LOG_LEVEL: 'debug',
    EGRESS_INSTANCE_ID: INSTANCE_ID,
    // Faults last longer than eight tries may; what is given up is then a fault of the service.
    EGRESS_MAX_ATTEMPTS: '100',
    MESSAGE_BUS_DRIVER: 'pubsub',
    PUBSUB_EMULATOR_HOST: proxy.host,
    GOOGLE_CLOUD_PROJECT: bus.projectId,
    METADATA_SERVER_DETECTION: 'none',
    ...(firestore === undefined
      ? { STATE_FILE: join(stateDirectory, 'state.json') }
      : { STATE_STORE_DRIVER: 'firestore', FIRESTORE_EMULATOR_HOST: firestore.proxy.host }),
    ...Object.fromEntries(platforms.flatMap((platform) => Object.entries(platform.environment()))),
  };
  const watch = await BusWatch.start({
    bus,
    journal,
    answerTo: (token) => answers.get(token),
  });
  const told = { states: [] as StateFact[], retries: [] as RetryFact[] };
  let processes = 0;
  const listener = (slot: number): ServiceListener => {
    let process = 0;
    const tell = logListener(journal);
    return {
      onLog: (line) => {
        tell(line);
        readLine(line, process, journal.now(), told);
      },
      onLife: (isAlive) => {
        if (isAlive) process = processes += 1;
        const at = journal.now();
        told.states.push({ process, platform: undefined, isConnected: false, isAlive, at });
      },
      onCrash: (reason) => {
        journal.note(`the service ended by itself: ${reason}`);
        crashes.push(reason);
        void fleet.restart(slot);
      },
    };
  };
  const fleet: ServiceFleet = new ServiceFleet({
    main: options.main,
    logFile,
    nodeArguments: injector.nodeArguments(INJECTOR),
    ports,
    environment: (port) => ({
      ...environment,
      PORT: String(port),
      TWILIO_WEBHOOK_URL: webhookUrl(`http://127.0.0.1:${port}`),
    }),
    listener,
    onTraffic: (serviceUrl) => {
      sandbox.twilio.setWebhookUrl(webhookUrl(serviceUrl));
    },
  });
  return {
    answers,
    bus,
    crashes,
    firestore,
    fleet,
    injector,
    journal,
    media,
    platforms,
    proxy,
    sandbox,
    stalls: new StallWatch(() => journal.now()),
    stateDirectory,
    told,
    watch,
  };
}

/** Ends them all. */
export async function stopParts(parts: RunParts): Promise<void> {
  const { bus, firestore, fleet, injector, media, proxy, sandbox, stalls, stateDirectory, watch } = parts;
  stalls.close();
  await fleet.close();
  await media.close();
  await watch.disconnect();
  await proxy.close();
  await sandbox.close();
  await bus.stop();
  await firestore?.proxy.close();
  await firestore?.emulator.stop();
  injector.close();
  rmSync(stateDirectory, { recursive: true });
}

async function startFirestore(): Promise<NonNullable<RunParts['firestore']>> {
  const emulator = await startFirestoreEmulator({ environment: process.env });
  return { emulator, proxy: await BusProxy.start(emulator.host) };
}

/** Warnings may be held back and summed up later (`repeated`), so states are taken from what is told at each change. */
function readLine(
  line: Readonly<Record<string, unknown>>,
  process: number,
  at: number,
  told: { states: StateFact[]; retries: RetryFact[] },
): void {
  const { code, connector, delayMs, event, message, repeated, severity, tries } = line;
  if (repeated !== undefined) return;
  const status = /^connector\.(stopped|starting|connected|reconnecting|failed)$/.exec(String(message))?.[1];
  if (status !== undefined && severity === 'INFO' && typeof connector === 'string') {
    const isConnected = status === 'connected';
    const hasFailed = status === 'failed';
    told.states.push({ process, platform: connector, isConnected, hasFailed, isAlive: true, at });
  }
  if (message === 'egress.retry') {
    const retry = { tries: Number(tries), delayMs: Number(delayMs), at };
    told.retries.push({ eventId: String(event), code: String(code), ...retry });
  }
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
