import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@bitbrat/emulators';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { BusRecorder } from './bus-recorder.js';
import { type BusServer } from './bus-server.js';
import { type Service, startService } from './service.js';

export const INSTANCE_ID = 'e2e';

/** The platforms of the sandbox. */
export const PLATFORMS = ['twilio', 'twitch', 'discord'] as const;

export type Platform = (typeof PLATFORMS)[number];

/** Sandbox and service, on a bus that the service brings (`memory`) or that stands beside it (`pubsub`). */
export class World {
  #service: Service | undefined;

  private constructor(
    readonly sandbox: Sandbox,
    readonly environment: Readonly<Record<string, string>>,
    readonly recorder: BusRecorder | undefined,
    private readonly stateFolder: string,
  ) {}

  /**
   * @param server a Pub/Sub on this machine; without one the service has a bus of its own
   * @param extra variables that add to or change those of the sandbox
   * @param platforms whose connectors are enabled
   */
  static async start(
    server: Pick<BusServer, 'host' | 'projectId'> | undefined,
    extra: Readonly<Record<string, string>> = {},
    platforms: readonly Platform[] = ['twilio'],
  ): Promise<World> {
    const stateFolder = await mkdtemp(join(tmpdir(), 'ingress-egress-e2e-'));
    const sandbox = await startSandbox();
    // Asked for when all else listens: nothing of ours can be given the same port.
    const port = await freePort();
    const webhookUrl = `http://127.0.0.1:${port}/webhooks/twilio`;
    sandbox.twilio.setWebhookUrl(webhookUrl);
    const bus: Record<string, string> =
      server === undefined
        ? { MESSAGE_BUS_DRIVER: 'memory' }
        : {
            MESSAGE_BUS_DRIVER: 'pubsub',
            PUBSUB_EMULATOR_HOST: server.host,
            GOOGLE_CLOUD_PROJECT: server.projectId,
          };
    const environment = {
      PORT: String(port),
      EGRESS_INSTANCE_ID: INSTANCE_ID,
      ECHO_BOT_ENABLED: 'true',
      ...bus,
      STATE_FILE: join(stateFolder, 'state.json'),
      ...Object.fromEntries(platforms.flatMap((platform) => Object.entries(sandbox[platform].environment()))),
      TWILIO_WEBHOOK_URL: webhookUrl,
      ...extra,
    };
    const recorder =
      server === undefined ? undefined : await BusRecorder.start(server.host, server.projectId, INSTANCE_ID);
    const world = new World(sandbox, environment, recorder, stateFolder);
    await world.startService();
    return world;
  }

  get service(): Service {
    if (this.#service === undefined) throw new Error('the service is not running');
    return this.#service;
  }

  get bus(): BusRecorder {
    if (this.recorder === undefined) throw new Error('the memory bus cannot be seen from outside');
    return this.recorder;
  }

  /** @param options `ready: false` does not wait for readiness */
  async startService(options: { readonly ready: boolean } = { ready: true }): Promise<void> {
    this.#service = await startService({ ...this.environment });
    if (options.ready) await this.#service.ready();
  }

  /** Resolves with the service's exit code. */
  async stop(): Promise<number | null> {
    const code = (await this.#service?.stop()) ?? null;
    await this.recorder?.stop();
    await this.sandbox.close();
    await rm(this.stateFolder, { recursive: true, force: true });
    return code;
  }
}
