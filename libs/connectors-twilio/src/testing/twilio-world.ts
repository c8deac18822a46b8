import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type ConnectorState, parseEnvironment } from '@bitbrat/connectors-core';
import { RecordingHost, waitFor as waitUntil } from '@bitbrat/connectors-testing';
import { type Clock, systemClock } from '@bitbrat/foundation';
import { type Sandbox, startSandbox, type TwilioSandboxOptions } from '@bitbrat/sandbox';
import { type TwilioConfig, twilioConfigSchema } from '../config.js';
import { TwilioConnectorAdapter } from '../connector-adapter.js';

/** As the testing library's, with a default for the patience. */
export function waitFor(check: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  return waitUntil(check, timeoutMs, what);
}

/** Our own waits shortened, those of `fromMs` and more; the SDK keeps the machine's clock. */
export function fastClock(factor: number, fromMs = 0): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => systemClock.monotonic(),
    setTimeout: (callback, ms) => systemClock.setTimeout(callback, ms < fromMs ? ms : ms / factor),
  };
}

/** Texts that were published, in order; of one conversation where one is given. */
export function textsOf(host: RecordingHost, conversationSid?: string): string[] {
  return host.published
    .filter(({ channel }) => conversationSid === undefined || channel.id === conversationSid)
    .map(({ text }) => text);
}

/** What the environment of the integration suites asks about a rejection that nobody has handled. */
interface RejectionGlobal {
  claimRejection?: (reason: unknown) => boolean;
}

export interface GatewayOptions {
  readonly sandbox?: Partial<TwilioSandboxOptions>;
  readonly config?: Partial<TwilioConfig>;
  readonly clock?: Clock;
}

/** The connector against the sandbox: the real SDK, real sockets, real webhooks. */
export class Gateway {
  /** What the SDK has left unhandled. */
  readonly rejections: unknown[] = [];

  private constructor(
    readonly sandbox: Sandbox,
    public host: RecordingHost,
    public connector: TwilioConnectorAdapter,
    readonly config: TwilioConfig,
    private readonly webhooks: Server,
  ) {
    const global = globalThis as RejectionGlobal; // the environment looks for it there
    global.claimRejection = (reason) => {
      this.rejections.push(reason);
      return this.connector.claimRejection(reason);
    };
  }

  static async create({
    clock = systemClock,
    config,
    sandbox: twilio,
  }: GatewayOptions = {}): Promise<Gateway> {
    const sandbox = await startSandbox({ port: 0, ...(twilio === undefined ? {} : { twilio }) });
    const webhooks = createServer();
    await new Promise<void>((resolve) => webhooks.listen(0, '127.0.0.1', resolve));
    const { port } = webhooks.address() as AddressInfo; // it listens on TCP
    const webhookUrl = `http://127.0.0.1:${port}/webhooks/twilio`;
    sandbox.twilio.setWebhookUrl(webhookUrl);
    const environment = { ...sandbox.twilio.environment(), TWILIO_WEBHOOK_URL: webhookUrl };
    const parsed = parseEnvironment(twilioConfigSchema, environment);
    if (!parsed.ok || !parsed.config.enabled) throw new Error(JSON.stringify(parsed));
    const whole = { ...parsed.config, ...config };
    const host = new RecordingHost({ clock });
    const connector = new TwilioConnectorAdapter(whole, host, () => 0);
    const gateway = new Gateway(sandbox, host, connector, whole, webhooks);
    gateway.#serve();
    return gateway;
  }

  /** A second process with the same settings and cursors: what the first one knew in memory is gone. */
  restarted(): { host: RecordingHost; connector: TwilioConnectorAdapter } {
    const { clock, cursors } = this.host;
    const host = new RecordingHost({ clock, cursors });
    return { host, connector: new TwilioConnectorAdapter(this.config, host, () => 0) };
  }

  /** The process is replaced by another one, which is started. */
  async restart(): Promise<void> {
    await this.connector.stop();
    Object.assign(this, this.restarted());
    await this.start();
  }

  get status(): ConnectorState['status'] | undefined {
    return this.host.states.at(-1)?.status;
  }

  texts(conversationSid?: string): string[] {
    return textsOf(this.host, conversationSid);
  }

  start(): Promise<void> {
    return this.connector.start(new AbortController().signal);
  }

  /** An SMS; resolves with where it stands. */
  sms(body: string, from = '+15550100'): ReturnType<Sandbox['twilio']['receiveMessage']> {
    return this.sandbox.twilio.receiveMessage({ from, body });
  }

  /** A conversation that the bot is in, with a phone. */
  conversation(from = '+15550100'): string {
    return this.sandbox.twilio.createConversation({
      friendlyName: from,
      participants: [{ address: from }, { identity: this.config.identity }],
    }).sid;
  }

  /** Texts of the bot's messages, oldest first. */
  sent(conversationSid: string): (string | null)[] {
    return this.sandbox.twilio
      .messages(conversationSid)
      .filter(({ author }) => author === this.config.identity)
      .map(({ body }) => body);
  }

  /** A message by the REST API, as a program of somebody else writes it; resolves with its SID. */
  async writeByRest(conversationSid: string, form: Readonly<Record<string, string>>): Promise<string> {
    const { apiKey, apiSecret, chatServiceSid, restUrl } = this.config;
    const path = `/v1/Services/${chatServiceSid}/Conversations/${conversationSid}/Messages`;
    const authorization = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`;
    const body = new URLSearchParams(form);
    const response = await fetch(`${restUrl}${path}`, { method: 'POST', headers: { authorization }, body });
    return ((await response.json()) as { sid: string }).sid; // the sandbox's answer
  }

  horizon(conversationSid: string): number | null | undefined {
    return this.sandbox.twilio
      .conversation(conversationSid)
      .participants.find(({ identity }) => identity === this.config.identity)?.lastReadMessageIndex;
  }

  async dispose(): Promise<void> {
    await this.connector.stop();
    await this.sandbox.close();
    this.webhooks.closeAllConnections();
    await new Promise((resolve) => this.webhooks.close(resolve));
  }

  #serve(): void {
    this.webhooks.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { headers, method = '', url = '' } = request;
        const flat = Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
        );
        const rawBody = Buffer.concat(chunks);
        void this.connector
          .handleWebhook({ method, path: url, headers: flat, rawBody })
          .then(({ body, status }) => {
            response.writeHead(status).end(body);
          });
      });
    });
  }
}
