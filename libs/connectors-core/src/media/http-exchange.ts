import { connect as connectTcp, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type buildConnector } from 'undici';
import { ConnectorError } from '../connector-error.js';
import { fixedLookup } from './host-addresses.js';
import { refused, unreachable } from './media-errors.js';
import { hostnameOf } from './media-url.js';

/** Bytes of an answer's headers. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Milliseconds for each address of several to accept a connection, before the next is tried. Node's own 250 are too few for
 * a host that is far away, and for one lost packet, which is sent again after a second.
 */
const ATTEMPT_TIMEOUT_MS = 2_500;

/** Bytes on the wire beside the body: headers, interim answers, chunk sizes and trailers. The chunks' are the more the longer the body is. */
const overheadOf = (maxBytes: number): number => maxBytes + 256 * 1024;

/** An answer with its body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty unless the status is 200. */
  readonly data: Buffer;
}

/**
 * One GET on a connection of its own, of which nothing is left afterwards.
 *
 * @param addresses where to connect to; nobody is asked again
 * @param maxBytes of the body
 * @param signal ends it
 * @throws ConnectorError
 */
export async function getOnce(
  url: URL,
  addresses: readonly string[],
  maxBytes: number,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { Client: HttpClient } = await import('./undici.js');
  const sockets: Socket[] = [];
  const ended = new AbortController();
  let surprise: ConnectorError | undefined;
  const endBy = (error: ConnectorError): void => {
    surprise = error;
    ended.abort();
  };
  const onSocket = (socket: Socket): void => {
    sockets.push(socket);
  };
  const onRead = ({ bytesRead }: Socket): void => {
    if (bytesRead > maxBytes + overheadOf(maxBytes)) endBy(tooLarge());
  };
  const client = new HttpClient(url.origin, {
    connect: connectTo(url, addresses, { onSocket, onRead }),
    // The caller's signal is the only time limit.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  try {
    const {
      body,
      headers,
      statusCode: status,
    } = await client.request({
      method: 'GET',
      path: url.pathname + url.search,
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
      signal: AbortSignal.any([signal, ended.signal]),
      onInfo: ({ statusCode }) => {
        if (statusCode === 101) endBy(noHttp());
      },
    });
    body.on('error', () => undefined);
    const data = status === 200 ? await readBody(body, headers, maxBytes) : Buffer.alloc(0);
    return { status, headers, data };
  } catch (error) {
    if (error instanceof ConnectorError) throw error;
    if (surprise !== undefined) throw surprise;
    if (error instanceof Error && error.message === 'bad upgrade') throw noHttp();
    throw unreachable('its host cannot be reached', error);
  } finally {
    ended.abort();
    for (const socket of sockets) socket.destroy();
    client.destroy().catch(() => undefined);
  }
}

interface SocketListeners {
  readonly onSocket: (socket: Socket) => void;
  /** Bytes have arrived. */
  readonly onRead: (socket: Socket) => void;
}

/** How a host is connected to. */
export function connectOptionsOf(url: URL, addresses: readonly string[]): TcpNetConnectOpts {
  return {
    host: hostnameOf(url),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    lookup: fixedLookup(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
  };
}

function connectTo(
  url: URL,
  addresses: readonly string[],
  { onRead, onSocket }: SocketListeners,
): buildConnector.connector {
  const host = hostnameOf(url);
  const isSecure = url.protocol === 'https:';
  const options = connectOptionsOf(url, addresses);
  return (_options, callback) => {
    const socket = isSecure
      ? connectTls({
          ...options,
          ALPNProtocols: ['http/1.1'],
          ...(isIP(host) === 0 ? { servername: host } : {}),
        })
      : connectTcp(options);
    onSocket(socket);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      callback(null, socket);
      socket.on('readable', () => {
        onRead(socket);
      });
    });
    // Stays for the socket's whole life: an error without a listener would end the process.
    socket.on('error', (error: Error) => {
      callback(error, null);
    });
  };
}

async function readBody(
  body: AsyncIterable<unknown>,
  headers: HttpAnswer['headers'],
  maxBytes: number,
): Promise<Buffer> {
  if (isEncoded(headers['content-encoding'])) {
    throw refused('its host sends it compressed', 'name a host that minds Accept-Encoding: identity');
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Codings are named in any case; an empty one is none (RFC 9110, 8.4 and 5.6.1). */
function isEncoded(contentEncoding: HttpAnswer['headers'][string]): boolean {
  const codings = [contentEncoding ?? ''].flat().flatMap((line) => line.toLowerCase().split(','));
  return codings.some((coding) => !['', 'identity'].includes(coding.trim()));
}

function tooLarge(): ConnectorError {
  return refused('it is too large', 'send smaller attachments, or their links in the text');
}

function noHttp(): ConnectorError {
  return refused('its host does not answer as a web server does', 'check that a browser can fetch the URL');
}
