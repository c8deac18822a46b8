import { type AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { discordDefaults, type DiscordSandboxOptions } from './discord/discord-options.js';
import { DiscordSandbox } from './discord/discord-sandbox.js';
import { type PlatformContext, type SandboxLogger, type SandboxPlatform } from './platform.js';
import { twilioDefaults, type TwilioSandboxOptions } from './twilio/twilio-options.js';
import { TwilioSandbox } from './twilio/twilio-sandbox.js';
import { twitchDefaults, type TwitchSandboxOptions } from './twitch/twitch-options.js';
import { TwitchSandbox } from './twitch/twitch-sandbox.js';
import { Wire } from './wire.js';

/** How the sandbox is started. Everything has a default. */
export interface SandboxOptions {
  /** Address to listen on; 127.0.0.1, so that nobody else can reach it. */
  readonly host?: string;
  /** Port of everything: control interface, REST, media and WebSocket. 0, the default, takes a free one. */
  readonly port?: number;
  readonly logger?: SandboxLogger;
  readonly discord?: Partial<DiscordSandboxOptions>;
  readonly twilio?: Partial<TwilioSandboxOptions>;
  readonly twitch?: Partial<TwitchSandboxOptions>;
}

/** A running sandbox. */
export interface Sandbox {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly discord: DiscordSandbox;
  readonly twilio: TwilioSandbox;
  readonly twitch: TwitchSandbox;
  /** Every request and handshake of all platforms, and rules that answer any of them. */
  readonly wire: Wire;
  /** Ends all sockets, waits and requests, and frees the port. Idempotent. */
  close(): Promise<void>;
}

/** Starts the sandbox. Rejects with the system's error (EADDRINUSE, ...) when it cannot listen. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 512 } });
  const wire = new Wire();
  wire.guard(app);
  const context: PlatformContext = {
    wire,
    origin: () => {
      const address = app.server.address();
      if (address === null || typeof address === 'string')
        throw new Error('The sandbox does not listen yet.');
      return `http://${toHost(host, address)}:${address.port}`;
    },
    log: options.logger ?? (() => undefined),
  };
  const discord = new DiscordSandbox({ ...discordDefaults, ...options.discord }, context);
  const twilio = new TwilioSandbox({ ...twilioDefaults, ...options.twilio }, context);
  const twitch = new TwitchSandbox({ ...twitchDefaults, ...options.twitch }, context);
  const platforms: readonly SandboxPlatform[] = [twilio, twitch, discord];

  app.get('/healthz', () => Promise.resolve({ status: 'ok', platforms: platforms.map(({ name }) => name) }));
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ status: 404, message: `The sandbox has no ${request.method} ${request.url}.` }),
  );
  for (const platform of platforms) await platform.registerRoutes(app);
  app.server.on('upgrade', (request, socket, head) => {
    const struck = wire.pass(upgradeName(request.url));
    if (struck !== undefined) {
      wire.strike(socket, struck);
      return;
    }
    if (platforms.some((platform) => platform.handleUpgrade(request, socket, head))) return;
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const close = async (): Promise<void> => {
    wire.heal();
    await Promise.all(platforms.map((platform) => platform.close()));
    await app.close();
  };
  try {
    await app.listen({ host, port: options.port ?? 0 });
  } catch (error) {
    await close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return { url: context.origin(), discord, twilio, twitch, wire, close: () => (closed ??= close()) };
}

/** The path of a handshake; of its query only that there is one: the values are the client's. */
function upgradeName(url = '/'): string {
  const [path = '/', query] = url.split('?', 2);
  return `UPGRADE ${path}${query === undefined ? '' : '?'}`;
}

/** A wildcard address is no address to connect to. */
function toHost(host: string, { family }: AddressInfo): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return family === 'IPv6' && host.includes(':') ? `[${host}]` : host;
}
