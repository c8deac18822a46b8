import { createHash, timingSafeEqual } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

export interface DebugRequest {
  readonly headers: IncomingHttpHeaders;
  /** `DEBUG_TOKEN`. */
  readonly token: string | undefined;
  /** Whether the server listens on this machine's loopback addresses alone. */
  readonly isLoopbackOnly: boolean;
}

/** How this machine names itself. A web page can make any other name point here, to read the answer (DNS rebinding). */
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** Set by proxies. That one is missing proves nothing. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Whether `/_debug` is there for a request: snapshots, dead letters and their replay.
 *
 * With a token set: for requests that send it as `Authorization: Bearer`. Without: only if nothing but this machine can
 * connect at all, and not for requests that a web page or a proxy sends. Neither the peer's address nor a header opens it.
 */
export function mayDebug({ headers, isLoopbackOnly, token }: DebugRequest): boolean {
  if (token !== undefined) return isSame(bearerTokenIn(headers.authorization ?? ''), token);
  return (
    isLoopbackOnly &&
    LOCAL_HOST.test(headers.host ?? '') &&
    PROXY_HEADERS.every((name) => headers[name] === undefined) &&
    !isFromOtherSite(headers)
  );
}

/** Whether the address, as a listening socket names it, is reached from this machine alone. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return (isIPv4(plain) && plain.startsWith('127.')) || (isIPv6(address) && address === '::1');
}

/** Browsers send `Sec-Fetch-Site` with each request, and `Origin` with each POST. Commands send neither. */
function isFromOtherSite({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin !== `http://${host ?? ''}`;
}

/** The scheme's name may be in any case (RFC 9110, 11.1); `''` for another scheme. */
function bearerTokenIn(authorization: string): string {
  const [, token = ''] = /^bearer +(.*)$/i.exec(authorization) ?? [];
  return token;
}

/** Takes the same time whatever the texts are. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
