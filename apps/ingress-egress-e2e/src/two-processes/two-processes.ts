import { setTimeout as delay } from 'node:timers/promises';
import {
  type FirestoreEmulator,
  freePort,
  type PubSubEmulator,
  startFirestoreEmulator,
  startPubSubEmulator,
} from '@bitbrat/emulators';
import { type EgressEvent } from '@bitbrat/envelope';
import { type Service, startService } from '../support/service.js';
import { waitUntil } from '../support/wait-until.js';
import { type Platform, PLATFORMS, World } from '../support/world.js';

const TWITCH_BOT = 'bitbrat_bot';
const TWITCH_CHANNEL = 'bitbrat';
const DESTINATIONS = 10;

/** Milliseconds that each platform takes to answer a send. */
const LATENCY_MS = 500;
/** Milliseconds between the two publishes of an event: the second process gets it while the first one sends it. */
const COPY_AFTER_MS = 150;

/** Milliseconds after the last outcome in which a second message or outcome is looked for. */
const LATE_MS = 5_000;

export interface TwoProcessesPlan {
  /** Per platform. */
  readonly events: number;
  /** Milliseconds between two events of one platform: Twitch takes 100 messages in 30 s from a moderator. */
  readonly intervalMs: number;
  /** How long the outcomes may take after the last publish, in milliseconds. */
  readonly settleMs: number;
}

export interface PlatformAccount {
  readonly platform: Platform;
  readonly events: number;
  /** Events of which the platform has more than one message. */
  readonly doubled: number;
  readonly missing: number;
  /** Events by their outcomes, e.g. `sent`, `sent+sent`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Two service processes with one account, one `EGRESS_INSTANCE_ID` and one Firestore; every event is published twice. */
export class TwoProcesses {
  #runs = 0;

  private constructor(
    private readonly emulator: PubSubEmulator,
    private readonly firestore: FirestoreEmulator,
    private readonly world: World,
    private readonly second: Service,
    private readonly conversations: readonly string[],
    private readonly channels: readonly string[],
  ) {}

  static async start(): Promise<TwoProcesses> {
    const emulator = await startPubSubEmulator({ environment: process.env });
    const firestore = await startFirestoreEmulator({ environment: process.env });
    const extra = {
      ECHO_BOT_ENABLED: 'false',
      DISCORD_CHANNELS: '',
      STATE_STORE_DRIVER: 'firestore',
      FIRESTORE_EMULATOR_HOST: firestore.host,
      METADATA_SERVER_DETECTION: 'none',
    };
    const world = await World.start(emulator, extra, PLATFORMS);
    const { discord, twilio, twitch } = world.sandbox;
    twitch.configureChannel(TWITCH_CHANNEL, { moderators: [TWITCH_BOT] });
    const second = await startService({ ...world.environment, PORT: String(await freePort()) });
    await second.ready();
    const people = Array.from({ length: DESTINATIONS }, (_, i) => `+155504${String(i).padStart(2, '0')}`);
    const written = await Promise.all(people.map((from) => twilio.receiveMessage({ from, body: 'hello' })));
    twilio.injectFault({ kind: 'request', target: 'tunnel', operation: 'sendMessage', delayMs: LATENCY_MS });
    twitch.injectFault({ kind: 'delay-ack', delayMs: LATENCY_MS });
    discord.injectFault({ kind: 'request', method: 'POST', path: '/messages', delayMs: LATENCY_MS });
    const channels = people.map((_, i) => discord.createChannel({ name: `channel-${i}` }).id);
    const conversations = written.map(({ conversationSid }) => conversationSid);
    return new TwoProcesses(emulator, firestore, world, second, conversations, channels);
  }

  /** Publishes and accounts for it. */
  async run(plan: TwoProcessesPlan): Promise<readonly PlatformAccount[]> {
    this.#runs += 1;
    const runs = PLATFORMS.map((platform) => ({
      platform,
      ids: Array.from({ length: plan.events }, (_, i) => `${platform}-${this.#runs}-${i}`),
    }));
    await Promise.all(runs.map(({ ids, platform }) => this.#publish(platform, ids, plan.intervalMs)));
    const outcomes = this.world.bus.outcomes;
    const all = runs.flatMap(({ ids }) => ids);
    const settled = (): true | undefined => {
      const known = new Set(outcomes.map(({ eventId }) => eventId));
      return all.every((id) => known.has(id)) ? true : undefined;
    };
    await waitUntil('an outcome of each event', settled, plan.settleMs).catch(() => undefined);
    const accounts = (): readonly PlatformAccount[] =>
      runs.map(({ ids, platform }) => this.#account(platform, ids));
    // What is doubled may come late.
    const isSpoilt = (): true | undefined => (accounts().every(isClean) ? undefined : true);
    await waitUntil('a second message', isSpoilt, LATE_MS).catch(() => undefined);
    return accounts();
  }

  async stop(): Promise<void> {
    await this.second.stop();
    await this.world.stop();
    await this.emulator.stop();
    await this.firestore.stop();
  }

  async #publish(platform: Platform, ids: readonly string[], intervalMs: number): Promise<void> {
    const copies: Promise<void>[] = [];
    for (const [i, id] of ids.entries()) {
      const target = { connector: platform, destination: this.#destination(platform, i) };
      const event: Pick<EgressEvent, 'id' | 'target' | 'text'> = { id, target, text: `text of ${id}` };
      copies.push(this.world.bus.sendUnordered(event));
      copies.push(delay(COPY_AFTER_MS).then(() => this.world.bus.sendUnordered(event)));
      await delay(intervalMs);
    }
    await Promise.all(copies);
  }

  #destination(platform: Platform, index: number): string {
    if (platform === 'twitch') return TWITCH_CHANNEL;
    const destinations = platform === 'discord' ? this.channels : this.conversations;
    return destinations[index % DESTINATIONS] ?? '';
  }

  #account(platform: Platform, ids: readonly string[]): PlatformAccount {
    const texts = this.#texts(platform);
    const counts = ids.map((id) => texts.filter((text) => text === `text of ${id}`).length);
    const outcomes: Record<string, number> = {};
    for (const id of ids) {
      const own = this.world.bus.outcomes.filter(({ eventId }) => eventId === id);
      const key = own.map(({ status }) => status).join('+') || 'none';
      outcomes[key] = (outcomes[key] ?? 0) + 1;
    }
    return {
      platform,
      events: ids.length,
      doubled: counts.filter((count) => count > 1).length,
      missing: counts.filter((count) => count === 0).length,
      outcomes,
    };
  }

  #texts(platform: Platform): readonly (string | null)[] {
    const { discord, twilio, twitch } = this.world.sandbox;
    switch (platform) {
      case 'twilio':
        return this.conversations.flatMap((sid) => twilio.messages(sid).map(({ body }) => body));
      case 'twitch':
        return twitch.messages(TWITCH_CHANNEL).map(({ text }) => text);
      case 'discord':
        return this.channels.flatMap((id) => discord.messages(id).map(({ content }) => content));
      default:
        return platform satisfies never;
    }
  }
}

/** Nothing doubled, nothing missing, one outcome `sent` each. */
export function isClean({ doubled, events, missing, outcomes }: PlatformAccount): boolean {
  return doubled === 0 && missing === 0 && outcomes['sent'] === events;
}
