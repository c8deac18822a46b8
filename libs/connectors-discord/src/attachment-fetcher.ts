import { lookup as systemLookup } from 'node:dns';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ConnectorError } from '@bitbrat/connectors-core';
import { type Attachment } from '@bitbrat/envelope';
import { isPublicAddress } from './public-address.js';

/** Bytes of all attachments of one message: Discord takes 10 MiB ("Uploading Files"), the rest is for the form around them. */
export const MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024;

/** Redirects that are followed, on one host only. */
const MAX_REDIRECTS = 3;

/** An attachment with its bytes. */
export interface FetchedFile {
  readonly name: string;
  readonly contentType?: string;
  readonly data: Buffer;
}

export interface FetcherOptions {
  /** Hosts (with a port where it is not the protocol's own) that may be private and speak plain http. */
  readonly allowedHosts: readonly string[];
  readonly timeoutMs: number;
  /** Resolves host names; default: the system's. */
  readonly lookup?: typeof systemLookup;
}

/**
 * Fetches what bots want attached. Their URLs are not trusted: https only, public addresses only (looked at when the connection is made, so that
 * a name cannot change its address in between), no way to another host, bounded in time and size. The operator can allow hosts.
 */
export class AttachmentFetcher {
  readonly #options: FetcherOptions;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** In order. @throws ConnectorError naming the attachment, by its place and never by its URL, which may hold a secret */
  async fetchAll(attachments: readonly Attachment[], signal: AbortSignal): Promise<FetchedFile[]> {
    const files: FetchedFile[] = [];
    let left = MAX_ATTACHMENT_BYTES;
    for (const [i, attachment] of attachments.entries()) {
      const file = await this.#fetch(attachment, `attachment ${i + 1}`, left, signal);
      left -= file.data.byteLength;
      files.push(file);
    }
    return files;
  }

  async #fetch(
    attachment: Attachment,
    which: string,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<FetchedFile> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    try {
      let url = new URL(attachment.url);
      for (let redirects = 0; ; redirects += 1) {
        const response = await this.#request(url, which, limit);
        const { headers, statusCode = 0 } = response;
        if (statusCode < 300 || statusCode > 399) {
          const data = await readBody(response, statusCode, which, maxBytes);
          return toFile(attachment, url, headers['content-type'], data);
        }
        response.destroy();
        url = redirectTarget(url, headers.location, redirects, which);
      }
    } catch (error) {
      if (error instanceof ConnectorError) throw error;
      const { timeoutMs } = this.#options;
      if (signal.aborted) throw new ConnectorError('TIMEOUT', `${which}: the caller gave up`);
      if (limit.aborted) throw new ConnectorError('TIMEOUT', `${which}: not fetched after ${timeoutMs} ms`);
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', `${which}: its host cannot be reached`, {
        cause: error,
      });
    }
  }

  #request(url: URL, which: string, signal: AbortSignal): Promise<IncomingMessage> {
    const isAllowed = this.#options.allowedHosts.includes(url.host);
    if (url.protocol !== 'https:' && !(isAllowed && url.protocol === 'http:')) {
      throw refused(
        which,
        'it must be fetched by https',
        'use an https URL, or name its host in DISCORD_ATTACHMENT_HOSTS',
      );
    }
    if (url.username !== '' || url.password !== '')
      throw refused(which, 'its URL may not hold a user', 'leave user and password out');
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (!isAllowed && isIP(literal) !== 0 && !isPublicAddress(literal)) throw notPublic(which);
    return new Promise((resolve, reject) => {
      const options = {
        agent: false,
        headers: { accept: '*/*', 'accept-encoding': 'identity' },
        signal,
        ...(isAllowed ? {} : { lookup: this.#guardedLookup(which) }),
      } as const;
      const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
      request.once('response', resolve);
      request.once('error', reject);
      request.end();
    });
  }

  /** Refuses a name when any of its addresses is not public. */
  #guardedLookup(which: string): LookupFunction {
    const lookup = this.#options.lookup ?? systemLookup;
    return (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        const [first] = addresses;
        if (error !== null || first === undefined) callback(error ?? new Error('no address'), '');
        else if (!addresses.every(({ address }) => isPublicAddress(address))) callback(notPublic(which), '');
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  }
}

async function readBody(
  response: IncomingMessage,
  status: number,
  which: string,
  maxBytes: number,
): Promise<Buffer> {
  const fail = (error: ConnectorError): never => {
    response.destroy();
    throw error;
  };
  if (status >= 500 || status === 429) {
    fail(
      new ConnectorError('UPSTREAM_UNAVAILABLE', `${which}: its host answered ${status}`, {
        nativeCode: String(status),
      }),
    );
  }
  if (status !== 200)
    fail(refused(which, `its host answered ${status}`, 'check that the URL can be fetched by anybody'));
  const tooLarge = refused(
    which,
    `the message's attachments have more than ${MAX_ATTACHMENT_BYTES} bytes`,
    'send smaller attachments, or their links in the text',
  );
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) fail(tooLarge);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer; // without an encoding a response gives buffers
    size += bytes.byteLength;
    if (size > maxBytes) fail(tooLarge);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function redirectTarget(from: URL, location: string | undefined, redirects: number, which: string): URL {
  const target =
    location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target?.host !== from.host || target.protocol !== from.protocol || redirects >= MAX_REDIRECTS) {
    throw refused(which, 'it redirects too often or to another host', 'use the URL that it redirects to');
  }
  return target;
}

function toFile(
  attachment: Attachment,
  url: URL,
  contentType: string | undefined,
  data: Buffer,
): FetchedFile {
  const type = attachment.contentType ?? contentType;
  const name = attachment.fileName ?? decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
  return {
    name: name.replace(/[\p{Cc}/\\]+/gu, '_').slice(-200) || 'attachment',
    ...(type === undefined ? {} : { contentType: type }),
    data,
  };
}

function notPublic(which: string): ConnectorError {
  return refused(
    which,
    'its address is not public',
    'use a public URL, or name its host in DISCORD_ATTACHMENT_HOSTS',
  );
}

function refused(which: string, reason: string, hint: string): ConnectorError {
  return new ConnectorError('PAYLOAD_INVALID', `${which}: ${reason}`, { hint });
}
