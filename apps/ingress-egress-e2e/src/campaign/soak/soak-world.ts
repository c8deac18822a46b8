import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort, type PubSubEmulator } from '@bitbrat/emulators';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { INSTANCE_ID } from '../load/bus-watch.js';
import { startEmulatedBus } from '../machinery/campaign-bus.js';
import { ServiceProcess } from '../machinery/service-process.js';
import { Ledger } from './ledger.js';
import { type Sample } from './sample.js';
import { ServiceProbe } from './service-probe.js';
import { SoakBot } from './soak-bot.js';
import { createSoakPlatforms, type SoakPlatform, soakSandboxOptions } from './soak-platform.js';

/** How a soak's surroundings are made. */
export interface SoakWorldOptions {
  readonly messages: number;
  readonly replaceAfter: number;
  readonly main: string;
  readonly probe: string;
}

/** Everything that a soak needs, started and connected: emulator, sandbox, service, bot. */
export class SoakWorld {
  readonly ledger: Ledger;
  readonly platforms: readonly SoakPlatform[];
  readonly #bases = new Map<string, number>();
  readonly #channels = new Map<string, number>();
  readonly #sentAt = new Map<string, number>();
  readonly #crashes: string[] = [];
  #check: () => void = () => undefined;
  #bot: SoakBot | undefined;

  private constructor(
    private readonly emulator: PubSubEmulator,
    private readonly sandbox: Sandbox,
    private readonly service: ServiceProcess,
    private readonly probe: ServiceProbe,
    private readonly stateDirectory: string,
    options: SoakWorldOptions,
  ) {
    this.ledger = new Ledger(options.messages);
    this.platforms = createSoakPlatforms(sandbox, service.url, options.replaceAfter);
    let base = 0;
    for (const { channels, name } of this.platforms) {
      this.#bases.set(name, base);
      base += channels;
    }
  }

  /** @param logFile of the service */
  static async start(options: SoakWorldOptions, logFile: string): Promise<SoakWorld> {
    mkdirSync(dirname(logFile), { recursive: true });
    const emulator = await startEmulatedBus(options.messages);
    const sandbox = await startSandbox(soakSandboxOptions());
    // Asked for when all else listens: nothing of ours can be given the same port.
    const port = await freePort();
    const stateDirectory = mkdtempSync(join(tmpdir(), 'soak-'));
    const probe = new ServiceProbe();
    const environment: Record<string, string> = {
      PORT: String(port),
      EGRESS_INSTANCE_ID: INSTANCE_ID,
      MESSAGE_BUS_DRIVER: 'pubsub',
      PUBSUB_EMULATOR_HOST: emulator.host,
      GOOGLE_CLOUD_PROJECT: emulator.projectId,
      METADATA_SERVER_DETECTION: 'none',
      STATE_FILE: join(stateDirectory, 'state.json'),
      LOG_LEVEL: 'warn',
    };
    const crashes: ((reason: string) => void)[] = [];
    const service = new ServiceProcess(
      {
        main: options.main,
        environment,
        logFile,
        nodeArguments: ['--import', pathToFileURL(options.probe).href],
      },
      {
        onLog: (line) => {
          probe.onLog(line);
        },
        onCrash: (reason) => {
          for (const tell of crashes) tell(reason);
        },
      },
    );
    const world = new SoakWorld(emulator, sandbox, service, probe, stateDirectory, options);
    crashes.push((reason) => world.#crashes.push(`service ended by itself: ${reason}`));
    for (const platform of world.platforms) Object.assign(environment, platform.environment());
    await world.#open();
    return world;
  }

  /** What is wrong besides the ledger's findings. */
  get complaints(): readonly string[] {
    return [...(this.#bot?.complaints ?? []), ...this.#crashes, ...this.probe.warnings];
  }

  /** Resident memory of the service in MiB. */
  get rssMb(): number {
    return this.service.memoryMb;
  }

  /** The ledger's number of a platform's channel. */
  numberOf(platform: SoakPlatform, channel: number): number {
    return (this.#bases.get(platform.name) ?? 0) + channel;
  }

  /** Notes which id a channel has in envelopes. */
  know(platform: SoakPlatform, channel: number, channelId: string): void {
    this.#channels.set(`${platform.name} ${channelId}`, this.numberOf(platform, channel));
  }

  /** Resolves with whether it holds, at the latest after `limitMs`; looked at whenever the bus has delivered something. */
  async waitFor(holds: () => boolean, limitMs: number): Promise<boolean> {
    if (holds()) return true;
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer);
        this.#check = () => undefined;
        resolve(result);
      };
      const timer = setTimeout(() => {
        end(false);
      }, limitMs);
      this.#check = () => {
        if (holds()) end(true);
      };
    });
  }

  /** Measures the service. */
  sample(messages: number, seconds: number): Promise<Sample> {
    return this.probe.sample(this.service, this.emulator, { messages, seconds });
  }

  /** Clients of Twilio's SDK that the service has made. */
  async twilioClients(): Promise<number> {
    const answer = await fetch(`${this.service.url}/_debug/twilio`);
    const { details } = (await answer.json()) as { details: { clientGeneration: number } }; // the service's own view
    return details.clientGeneration;
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.#bot?.close();
    await this.sandbox.close();
    await this.emulator.stop();
    rmSync(this.stateDirectory, { recursive: true });
  }

  async #open(): Promise<void> {
    this.#bot = await SoakBot.start({
      emulator: this.emulator,
      ledger: this.ledger,
      channelOf: (platform, channelId) => this.#channels.get(`${platform} ${channelId}`),
      answers: (platform, message) => this.#answers(platform, message),
      onProgress: () => {
        this.#check();
      },
    });
    await this.service.start();
    await this.service.ready();
  }

  #answers(name: string, message: number): boolean {
    const platform = this.platforms.find((candidate) => candidate.name === name);
    if (platform === undefined || message % platform.answerEvery !== 0) return false;
    const now = performance.now();
    if (now - (this.#sentAt.get(name) ?? -Infinity) < 1_000 / platform.answerRate) return false;
    this.#sentAt.set(name, now);
    return true;
  }
}
