import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, withTimeout } from '@bitbrat/foundation';
import { type Client, type Options } from 'tmi.js';
import { type WebSocket } from 'ws';
import { type ChatLine, type ParsedLine, toChatLine } from '../platform/chat-line.js';
import { toLoginError, toTwitchError } from '../platform/errors.js';

/** Milliseconds for the WebSocket upgrade. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Milliseconds that a closing connection gets before its socket is cut. */
const GRACE_MS = 500;

/** Bytes of one frame; Twitch's lines hold 8 KiB of tags and some lines come together. */
const MAX_FRAME_BYTES = 1024 * 1024;

/**
 * Lines that tmi.js does not get. For RECONNECT it would open a second connection by itself, which lives on after `disconnect`. To what
 * people write it adds nothing that we use, and each such line would cost its time.
 */
const NOT_FOR_TMI: ReadonlySet<string> = new Set(['RECONNECT', 'PRIVMSG', 'WHISPER', 'USERNOTICE']);

/** What a client of tmi.js has and its types do not name. */
interface TmiInternals {
  ws: WebSocket | null;
  username: string;
  readonly pingLoop: NodeJS.Timeout | null;
  handleMessage(message: ParsedLine): void;
  _openConnection(): void;
  _onOpen(): void;
  _onMessage(event: { readonly data: unknown }): void;
  _onClose(): void;
}

type TmiClient = new (options: Options & { readonly logger: unknown }) => Client & TmiInternals;

export interface SdkClientOptions {
  readonly url: string;
  readonly login: string;
  /** Without `oauth:`. */
  readonly token: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for each line, in order; what it throws is logged. */
  readonly onLine: (line: ChatLine) => void;
  /** The connection that was open has ended, not by `close`. */
  readonly onLost: (error: ConnectorError) => void;
}

/** A client of tmi.js for one connection, whose socket is ours to end. */
export interface SdkClient {
  /** Resolves when logged in. It may never settle: the caller limits it. @throws ConnectorError */
  connect(): Promise<void>;
  /** @throws ConnectorError NOT_CONNECTED */
  send(line: string): void;
  /**
   * Ends the connection whatever state it is in; resolves within a second, without socket and timer; never rejects.
   * @param how `isDead`: the other side does not answer, so there is nobody to say good-bye to
   */
  close(how: { readonly isDead: boolean }): Promise<void>;
}

/**
 * Makes a client that is not connected yet.
 *
 * The `ws` package is used on every Node version, and any URL, where tmi.js takes the global WebSocket where there is one and forces port 443
 * with TLS. The token is written as it is, where tmi.js would write it in lower case and hand it to an endpoint that is long gone.
 */
export async function createSdkClient(options: SdkClientOptions): Promise<SdkClient> {
  const { logger, login, onLine, onLost, token, url } = options;
  const { Client: SdkConstructor, WebSocket: WsSocket } = await import('./sdk.js');
  const Base = SdkConstructor as unknown as TmiClient; // its types name the public half only
  let socketError: Error | undefined;
  let isLoggedIn = false;
  let closing = false;

  class ChatClient extends Base {
    override _openConnection(): void {
      const socket = new WsSocket(url, 'irc', {
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        maxPayload: MAX_FRAME_BYTES,
        perMessageDeflate: false,
      });
      this.ws = socket;
      socket.onopen = () => {
        this._onOpen();
      };
      socket.onmessage = (event) => {
        this._onMessage(event);
      };
      socket.on('error', (error) => {
        socketError = error;
      });
      socket.on('close', () => {
        this._onClose();
        if (isLoggedIn && !closing) onLost(toTwitchError(socketError ?? '', 'stay connected'));
      });
    }

    override _onOpen(): void {
      this.username = login;
      this.ws?.send('CAP REQ :twitch.tv/tags twitch.tv/commands');
      this.ws?.send(`PASS oauth:${token}`);
      this.ws?.send(`NICK ${login}`);
    }

    /** An exception here would end the process, or leave a socket that is open and deaf. */
    override _onMessage(event: { readonly data: unknown }): void {
      if (closing) return;
      if (typeof event.data === 'string') super._onMessage(event);
      else logger.debug('twitch.line-unreadable', { reason: 'a binary frame' });
    }

    override handleMessage(message: ParsedLine): void {
      if (closing) return;
      try {
        const line = toChatLine(message);
        onLine(line);
        if (!NOT_FOR_TMI.has(line.command)) super.handleMessage(message);
      } catch (error) {
        logger.debug('twitch.line-unreadable', { command: message.command, reason: String(error) });
      }
      // Ours finds a dead connection sooner.
      if (message.command === '376' && this.pingLoop !== null) clearInterval(this.pingLoop);
    }
  }

  const quiet = { debug: ignore, error: ignore, fatal: ignore, info: ignore, trace: ignore, warn: ignore };
  const client = new ChatClient({
    connection: { reconnect: false },
    identity: { username: login },
    options: { skipMembership: true, skipUpdatingEmotesets: true },
    logger: quiet,
  });
  return {
    connect: async () => {
      try {
        await client.connect();
        // tmi.js resolves, too, when a connection ends for no reason that it knows.
        if (client.ws?.readyState !== WsSocket.OPEN) throw socketError ?? new Error('the connection ended');
        isLoggedIn = true;
      } catch (reason) {
        throw socketError === undefined && typeof reason === 'string' && reason !== ''
          ? toLoginError(reason)
          : toTwitchError(socketError ?? reason, 'connect');
      }
    },
    send: (line) => {
      if (client.ws?.readyState !== WsSocket.OPEN) {
        throw new ConnectorError('NOT_CONNECTED', 'the connection to Twitch is not open');
      }
      client.ws.send(line);
    },
    close: async ({ isDead }) => {
      closing = true;
      await endSocket(client.ws, isDead, options.clock);
      client.removeAllListeners();
    },
  };
}

function ignore(): void {
  // tmi.js would print lines with what people write to the console.
}

async function endSocket(socket: WebSocket | null, isDead: boolean, clock: Clock): Promise<void> {
  if (socket === null || socket.readyState === socket.CLOSED) return;
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });
  const settled = (): Promise<void> =>
    withTimeout(clock, closed, GRACE_MS, () => new Error('time is up')).catch(() => undefined);
  if (!isDead && socket.readyState === socket.OPEN) {
    socket.close(1000);
    await settled();
  }
  socket.terminate();
  await settled();
}
