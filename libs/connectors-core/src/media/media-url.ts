import { isIP } from 'node:net';
import { type ConnectorError } from '../connector-error.js';
import { refused } from './media-errors.js';
import { isPublicAddress } from './public-address.js';

/** Whom a fetch may visit. */
export interface MediaHosts {
  /** Hosts (with a port where it is not the protocol's own) that may be private and speak plain http. */
  readonly allowed: readonly string[];
  /** The environment variable that lists them, for hints. */
  readonly variable: string;
}

/** A URL that may be fetched, as far as the URL itself tells. */
export interface MediaTarget {
  readonly url: URL;
  /** The operator has allowed its host: its addresses are not judged. */
  readonly isAllowed: boolean;
}

/** @throws ConnectorError PAYLOAD_INVALID, without the URL in it: that may hold a secret */
export function toMediaTarget(url: string, hosts: MediaHosts): MediaTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || fileNameIn(parsed) === undefined) {
    throw refused('its URL is malformed', 'correct the URL: a % must be followed by two hexadecimal digits');
  }
  return judge(parsed, hosts, hosts.allowed.includes(parsed.host));
}

/**
 * The target of a redirect, judged like any other. Only an allowed host can redirect to another allowed one, so that a stranger's server
 * does not reach what the operator has opened to bots.
 *
 * @throws ConnectorError PAYLOAD_INVALID
 */
export function toRedirectTarget(from: MediaTarget, location: unknown, hosts: MediaHosts): MediaTarget {
  const to =
    typeof location === 'string' && URL.canParse(location, from.url.href)
      ? new URL(location, from.url)
      : undefined;
  if (to === undefined || fileNameIn(to) === undefined) {
    throw refused('it redirects to a malformed URL', 'name a URL that can be fetched directly');
  }
  if (from.url.protocol === 'https:' && to.protocol !== 'https:') {
    throw refused('it redirects from https to another protocol', 'use the URL that it redirects to');
  }
  return judge(to, hosts, from.isAllowed && hosts.allowed.includes(to.host));
}

/** The last segment of the path, decoded; undefined where it cannot be decoded. */
export function fileNameIn({ pathname }: URL): string | undefined {
  try {
    return decodeURIComponent(pathname).split('/').at(-1) ?? '';
  } catch {
    return undefined;
  }
}

/** The host without the brackets of an IPv6 address. */
export function hostnameOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Says that an address may not be visited. */
export function notPublic({ variable }: MediaHosts): ConnectorError {
  return refused('its address is not public', `use a public URL, or name its host in ${variable}`);
}

/** Says that no host can have such a name. */
export function malformedHost(): ConnectorError {
  return refused('the name of its host is malformed', 'correct the URL');
}

/** Labels of 1 to 63 characters, 253 in all (RFC 1035, 2.3.4); a dot may end it. */
function isHostName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '');
  return name.length <= 253 && name.split('.').every((label) => label.length >= 1 && label.length <= 63);
}

function judge(url: URL, hosts: MediaHosts, isAllowed: boolean): MediaTarget {
  if (url.protocol !== 'https:' && !(isAllowed && url.protocol === 'http:')) {
    throw refused('it must be fetched by https', `use an https URL, or name its host in ${hosts.variable}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refused('its URL may not hold a user', 'leave user and password out');
  }
  const hostname = hostnameOf(url);
  if (isIP(hostname) === 0 && !isHostName(hostname)) throw malformedHost();
  if (!isAllowed && isIP(hostname) !== 0 && !isPublicAddress(hostname)) throw notPublic(hosts);
  return { url, isAllowed };
}
