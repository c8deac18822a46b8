import { type Attachment } from '@bitbrat/envelope';
import { type Clock } from '@bitbrat/foundation';
import { ConnectorError, toConnectorError } from '../connector-error.js';
import { isTransientStatus } from '../http-status.js';
import { addressesOf, resolveAllowedHost, type ResolveHost, resolvePublicHost } from './host-addresses.js';
import { getOnce, type HttpAnswer } from './http-exchange.js';
import { refused, unreachable } from './media-errors.js';
import {
  fileNameIn,
  type MediaHosts,
  type MediaTarget,
  toMediaTarget,
  toRedirectTarget,
} from './media-url.js';

/** Redirects that are followed for one file. */
const MAX_REDIRECTS = 3;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A file name's last so many UTF-16 units are kept: the end holds the extension. */
const MAX_NAME_LENGTH = 200;

const SLOW_HINT = "wait: the attachment's host is slow; or name another URL";

/** A file with its bytes. */
export interface MediaFile {
  readonly name: string;
  readonly contentType?: string;
  readonly data: Buffer;
}

export interface MediaFetcherOptions {
  readonly hosts: MediaHosts;
  /** Bytes of all files of one message. */
  readonly maxBytes: number;
  /** Milliseconds for all files of one message: look-ups, connections, redirects and bodies. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Resolves the names of hosts that are not allowed by name; default: the machine's name servers. */
  readonly resolve?: ResolveHost;
}

/**
 * Fetches the files that bots name by URL. The URLs and all that answers them are hostile: https and public addresses only, the addresses that
 * were judged are the ones connected to, each redirect is judged anew, one time limit and one size limit hold for everything. The operator can
 * allow hosts by name.
 */
export class MediaFetcher {
  readonly #options: MediaFetcherOptions;

  constructor(options: MediaFetcherOptions) {
    this.#options = options;
  }

  /**
   * The files in order, or none of them.
   *
   * @param signal aborted when the caller gives up
   * @throws ConnectorError naming the file by its place and never by its URL, which may hold a secret. It is never ambiguous:
   * nothing has been sent yet. Nothing is thrown elsewhere, and no socket is left
   */
  async fetchAll(attachments: readonly Attachment[], signal: AbortSignal): Promise<MediaFile[]> {
    if (attachments.length === 0) return [];
    const { clock, timeoutMs } = this.#options;
    const ended = new AbortController();
    let place = 0;
    const onPlace = (current: number): void => {
      place = current;
    };
    const onAbort = (): void => {
      ended.abort(tooLate('the caller gave up'));
    };
    const cancelTimer = clock.setTimeout(() => {
      ended.abort(tooLate(`not fetched after ${timeoutMs} ms`));
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([this.#fetchAll(attachments, ended.signal, onPlace), rejectAt(ended.signal)]);
    } catch (error) {
      throw toMediaError(error, place);
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
      ended.abort();
    }
  }

  async #fetchAll(
    attachments: readonly Attachment[],
    signal: AbortSignal,
    onPlace: (place: number) => void,
  ): Promise<MediaFile[]> {
    const { hosts, maxBytes } = this.#options;
    const targets = attachments.map(({ url }, place) => {
      onPlace(place);
      return toMediaTarget(url, hosts);
    });
    const files: MediaFile[] = [];
    let left = maxBytes;
    for (const [place, attachment] of attachments.entries()) {
      onPlace(place);
      const target = targets[place];
      if (target === undefined) continue;
      signal.throwIfAborted();
      const file = await this.#fetch(attachment, target, left, signal);
      left -= file.data.byteLength;
      files.push(file);
    }
    return files;
  }

  async #fetch(
    attachment: Attachment,
    named: MediaTarget,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<MediaFile> {
    const { hosts, resolve = resolvePublicHost } = this.#options;
    let target = named;
    for (let redirects = 0; ; redirects += 1) {
      const resolveHost = target.isAllowed ? resolveAllowedHost : resolve;
      const addresses = await addressesOf(target, hosts, resolveHost, signal);
      signal.throwIfAborted();
      const answer = await getOnce(target.url, addresses, maxBytes, signal);
      if (!REDIRECTS.has(answer.status)) return toFile(attachment, target.url, requireFile(answer));
      if (redirects >= MAX_REDIRECTS) {
        throw refused('it redirects too often', 'use the URL that it redirects to');
      }
      target = toRedirectTarget(target, answer.headers['location'], hosts);
    }
  }
}

function requireFile(answer: HttpAnswer): HttpAnswer {
  const { status } = answer;
  if (status === 200) return answer;
  const reason = `its host answered ${status}`;
  if (isTransientStatus(status) || status >= 600) throw unreachable(reason);
  throw refused(reason, 'check that the URL can be fetched by anybody');
}

function toFile({ contentType, fileName }: Attachment, url: URL, { data, headers }: HttpAnswer): MediaFile {
  const sent = headers['content-type'];
  const type = contentType ?? (typeof sent === 'string' ? sent : undefined);
  const name = (fileName ?? fileNameIn(url) ?? '').replace(/[\p{Cc}/\\]+/gu, '_').slice(-MAX_NAME_LENGTH);
  return { name: name || 'attachment', ...(type === undefined ? {} : { contentType: type }), data };
}

function tooLate(reason: string): ConnectorError {
  return new ConnectorError('TIMEOUT', reason, { ambiguous: false, hint: SLOW_HINT });
}

/** Rejects with the signal's reason as soon as it is aborted. */
function rejectAt(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => {
      reject(toConnectorError(signal.reason));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** What was not foreseen is the host's doing all the same. */
function toMediaError(reason: unknown, place: number): ConnectorError {
  const error = reason instanceof ConnectorError ? reason : unreachable('it cannot be fetched', reason);
  const { ambiguous, code, hint, message, nativeCode } = error;
  return new ConnectorError(code, `attachment ${place + 1}: ${message}`, {
    ambiguous,
    cause: error.cause,
    hint,
    nativeCode,
  });
}
