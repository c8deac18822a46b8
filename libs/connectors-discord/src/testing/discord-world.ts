import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type ConnectorState, parseEnvironment } from '@bitbrat/connectors-core';
import { MemoryCursors, RecordingHost, waitFor as waitUntil } from '@bitbrat/connectors-testing';
import { type Clock, systemClock } from '@bitbrat/foundation';
import {
  type DiscordMessageReceipt,
  type DiscordMessageView,
  type DiscordSandboxOptions,
  type Sandbox,
  startSandbox,
} from '@bitbrat/sandbox';
import { z } from 'zod';
import { type DiscordConfig, discordConfigSchema } from '../config.js';
import { DiscordConnectorAdapter } from '../connector-adapter.js';

/** Where undici, the SDK's HTTP client, tells of each request. */
const REQUESTS = 'undici:request:create';
const requestSchema = z.object({ request: z.object({ body: z.unknown() }) });
const createMessageSchema = z.object({ nonce: z.string(), content: z.string() });

/** As the testing library's, with a default for the patience. */
export function waitFor(check: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  return waitUntil(check, timeoutMs, what);
}

/** Our own waits shortened; the SDK keeps the machine's clock. */
export function fastClock(factor: number): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => systemClock.monotonic(),
    setTimeout: (callback, ms) => systemClock.setTimeout(callback, ms / factor),
  };
}

/** Texts that were published, in order; of one channel where one is given. */
export function textsOf(host: RecordingHost, channelId?: string): string[] {
  return host.published
    .filter(({ channel }) => channelId === undefined || channel.id === channelId)
    .map(({ text }) => text);
}

export interface GatewayOptions {
  readonly sandbox?: Partial<DiscordSandboxOptions>;
  readonly config?: Partial<DiscordConfig>;
  readonly clock?: Clock;
}

/** The connector against the sandbox: the real SDK over real sockets. */
export class Gateway {
  /** By nonce: content as it left the connector. */
  readonly #written = new Map<string, string>();

  private constructor(
    readonly sandbox: Sandbox,
    readonly host: RecordingHost,
    readonly connector: DiscordConnectorAdapter,
    readonly config: DiscordConfig,
  ) {
    subscribe(REQUESTS, this.#note);
  }

  /** Unless the config says otherwise all channels of the guild are read. */
  static async create({
    clock = systemClock,
    config,
    sandbox: discord,
  }: GatewayOptions = {}): Promise<Gateway> {
    const sandbox = await startSandbox({ port: 0, discord: { channelLimit: 50, ...discord } });
    const parsed = parseEnvironment(discordConfigSchema, sandbox.discord.environment());
    if (!parsed.ok || !parsed.config.enabled) throw new Error(JSON.stringify(parsed));
    const whole = { ...parsed.config, channelIds: [], ...config };
    const host = new RecordingHost({ clock });
    return new Gateway(sandbox, host, new DiscordConnectorAdapter(whole, host, () => 0), whole);
  }

  /** A second process with the same settings: what the first one knew in memory is gone, the store is there. */
  restarted(options: { config?: Partial<DiscordConfig>; clock?: Clock } = {}): {
    host: RecordingHost;
    connector: DiscordConnectorAdapter;
  } {
    const cursors = new MemoryCursors();
    for (const [key, value] of this.host.cursors.entries) cursors.entries.set(key, value);
    const host = new RecordingHost({ clock: options.clock ?? this.host.clock, cursors });
    const config = { ...this.config, ...options.config };
    return { host, connector: new DiscordConnectorAdapter(config, host, () => 0) };
  }

  get status(): ConnectorState['status'] | undefined {
    return this.host.states.at(-1)?.status;
  }

  /** The channel that messages go to unless another is named. */
  get general(): string {
    return this.sandbox.discord.channels()[0]?.id ?? '';
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.connector.getSnapshot().details;
  }

  start(): Promise<void> {
    return this.connector.start(new AbortController().signal);
  }

  texts(channelId?: string): string[] {
    return textsOf(this.host, channelId);
  }

  /** A person writes. */
  write(content: string, channelId = this.general, author = 'ada'): DiscordMessageReceipt {
    return this.sandbox.discord.receiveMessage({ channelId, author, content });
  }

  /** What the bot has written, oldest first. */
  sent(channelId = this.general): DiscordMessageView[] {
    return this.sandbox.discord.messages(channelId).filter(({ fromBot }) => fromBot);
  }

  /**
   * The texts as the connector wrote them. Discord cuts the white space at a message's ends, which is where a long text was split; all
   * else must stand there as it was written.
   */
  writtenTexts(channelId = this.general): string[] {
    return this.sent(channelId).map(({ content, nonce }) => {
      const written = this.#written.get(String(nonce)) ?? content;
      return written.trim() === content ? written : content;
    });
  }

  count(name: string, kind: 'rest' | 'gateway' = 'gateway'): number {
    return this.sandbox.discord.stats().counters[kind][name] ?? 0;
  }

  async dispose(): Promise<void> {
    unsubscribe(REQUESTS, this.#note);
    await this.connector.stop();
    await this.sandbox.close();
  }

  readonly #note = (event: unknown): void => {
    const body = requestSchema.safeParse(event).data?.request.body;
    const message = createMessageSchema.safeParse(
      Buffer.isBuffer(body) ? JSON.parse(body.toString()) : undefined,
    ).data;
    if (message !== undefined) this.#written.set(message.nonce, message.content);
  };
}
