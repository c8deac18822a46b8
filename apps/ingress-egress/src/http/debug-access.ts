import { timingSafeEqual } from 'node:crypto';
import { type IncomingHttpHeaders } from 'node:http';

export interface DebugRequest {
  readonly remoteAddress: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** `DEBUG_TOKEN`. */
  readonly token: string | undefined;
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** How this machine names itself. Any other name may have been made to point here by a web page that wants to read the answer (DNS rebinding). */
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/**
 * Whether snapshots may be shown: with a token set, to who sends it as `Authorization: Bearer`; without, to this
 * machine only, under a name of its own, and not to what a proxy on this machine passes on.
 */
export function mayDebug({ remoteAddress, headers, token }: DebugRequest): boolean {
  if (token !== undefined) {
    const given = Buffer.from(headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
  const proxied = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  const isLocal = remoteAddress !== undefined && LOOPBACK.test(remoteAddress);
  return isLocal && !proxied && LOCAL_HOST.test(headers.host ?? '');
}
