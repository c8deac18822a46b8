import { lookup, Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { codeOf, refused, unreachable } from './media-errors.js';
import { hostnameOf, malformedHost, type MediaHosts, type MediaTarget, notPublic } from './media-url.js';
import { isPublicAddress } from './public-address.js';

/**
 * Resolves a host name to IP addresses. What it resolves to is not trusted: it may be of any shape.
 * @param signal aborted when the addresses are not wanted any more
 */
export type ResolveHost = (hostname: string, signal: AbortSignal) => Promise<unknown>;

/** One name server that is silent must not use up a fetch's whole time. */
const DNS_TIMEOUT = { timeout: 2_000, tries: 2 } as const;

/** Codes of a look-up that could not even ask: c-ares ("DNS error codes" of Node.js) and Node itself. */
const MALFORMED_NAME: ReadonlySet<string> = new Set([
  'EBADNAME',
  'EBADQUERY',
  'EBADSTR',
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
]);

/** Connecting to more addresses of one host helps nobody. */
const MAX_ADDRESSES = 8;

/**
 * Asks the name servers directly. The system's look-up would hold one of the few threads that all look-ups of the process share, for as long as a
 * hostile name server likes.
 */
export const resolvePublicHost: ResolveHost = async (hostname, signal) => {
  const resolver = new Resolver(DNS_TIMEOUT);
  const cancel = (): void => {
    resolver.cancel();
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const families = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const addresses = families.flatMap((family) => (family.status === 'fulfilled' ? family.value : []));
    const [failure] = families.flatMap((family) => (family.status === 'rejected' ? [family] : []));
    if (addresses.length === 0 && failure !== undefined) throw failure.reason;
    return addresses;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** As the system does it: the operator's own hosts may stand in the hosts file only. */
export const resolveAllowedHost: ResolveHost = async (hostname) => {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
};

/**
 * The addresses of a target, each of which may be connected to.
 * @throws ConnectorError where one of them may not, or where there is none
 */
export async function addressesOf(
  { isAllowed, url }: MediaTarget,
  hosts: MediaHosts,
  resolve: ResolveHost,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const hostname = hostnameOf(url);
  if (isIP(hostname) !== 0) return [hostname];
  let resolved: unknown;
  try {
    resolved = await resolve(hostname, signal);
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && MALFORMED_NAME.has(code)) throw malformedHost();
    if (code === 'ENOTFOUND' && !isAllowed) throw refused('its host does not exist', 'correct the URL');
    throw unreachable('its host cannot be looked up', error);
  }
  const addresses = Array.isArray(resolved) ? resolved.filter(isAddress) : [];
  if (addresses.length === 0) throw unreachable('its host has no address');
  if (!isAllowed && !addresses.every(isPublicAddress)) throw notPublic(hosts);
  return addresses.slice(0, MAX_ADDRESSES);
}

/** A look-up that knows the answer already, so that the addresses that were judged are the ones connected to. */
export function fixedLookup(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, options, callback) => {
    const [first] = all;
    if (options.all === true) callback(null, all);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && isIP(value) !== 0;
}
