import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import { type Wire } from './wire.js';

/** Receives what happens, as an event name with fields. Never gets a token, a secret or a message's text. */
export type SandboxLogger = (event: string, fields: Readonly<Record<string, unknown>>) => void;

/** What the server hands to each platform. */
export interface PlatformContext {
  /** `http://HOST:PORT`, known once the server listens. Throws before that. */
  origin(): string;
  readonly log: SandboxLogger;
  /** In front of every platform. What a platform carries inside its sockets passes here, too. */
  readonly wire: Wire;
}

/** One platform of the sandbox. All of them share one port; each owns its own paths on it. */
export interface SandboxPlatform {
  /** Lower case, the first segment of its control paths: `twilio` owns `/twilio/...`. */
  readonly name: string;
  /** Adds its control routes and the HTTP half of the platform's own interface. */
  registerRoutes(app: FastifyInstance): Promise<void>;
  /** Takes a WebSocket upgrade on one of its paths. Returns false, having touched nothing, for any other path. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** The environment variables that a service needs to reach this platform here. */
  environment(): Record<string, string>;
  /** Ends all sockets, waits and requests of its own. Idempotent. */
  close(): Promise<void>;
}
