import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The only IPv6 block that IANA has opened for public unicast ("IPv6 Address Space"). */
const PUBLIC_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Public by its number, but answered by the cloud's host: Azure's "wire server". */
const CLOUD_HOSTS: ReadonlySet<string> = new Set(['168.63.129.16']);

/**
 * Whether an IP address belongs to the public internet: not to this machine, its network, its cloud's metadata service, or a
 * form that carries another address (IPv4-mapped, 6to4, Teredo, NAT64).
 */
export function isPublicAddress(address: string): boolean {
  // ipaddr.js also reads octal and short forms, and a zone (`%eth0`) names an interface of this machine.
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || CLOUD_HOSTS.has(parsed.toString())) return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(PUBLIC_IPV6);
}
