import fc from 'fast-check';
import { isPublicAddress } from './public-address.js';

/** Networks that are not the public internet: IANA's special-purpose registries, multicast, and what IANA has not given out. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const;

/** The first 16 bits, of which so many count. */
const SPECIAL_IPV6_STARTS = [
  [0x0000, 3],
  [0x0064, 16],
  [0x0100, 16],
  [0x2002, 16],
  [0x4000, 2],
  [0x5f00, 16],
  [0x8000, 1],
  [0xfc00, 7],
  [0xfe80, 10],
  [0xfec0, 10],
  [0xff00, 8],
] as const;

const toDotted = (bits: number): string => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');

const inIpv4 = (cidr: string): fc.Arbitrary<string> => {
  const [network = '', prefix = '32'] = cidr.split('/');
  const base = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return fc.nat(2 ** (32 - Number(prefix)) - 1).map((host) => toDotted(base + host));
};

const hextets = (count: number): fc.Arbitrary<string> =>
  fc
    .array(fc.nat(0xffff), { minLength: count, maxLength: count })
    .map((parts) => parts.map((part) => part.toString(16)).join(':'));

const lastBytes = fc.nat(2 ** 32 - 1);

describe('isPublicAddress', () => {
  it.each([
    '93.184.216.34',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.255.255',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001:800::200e',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '169.254.169.254',
    '168.63.129.16',
    '192.0.0.192',
    '100.100.100.200',
    'fd00:ec2::254',
    '::',
    '::1',
    '::8.8.8.8',
    '::ffff:8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '2001::1',
    '2001:2::1',
    '2001:10::1',
    '2001:db8::1',
    '2002:808:808::1',
    '2620:4f:8000::1',
    '3fff::1',
    '2606:4700::1111%eth0',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '127.1',
    '8.8.8.8 ',
    '8.8.8',
    'localhost',
    '',
  ])('%j is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(SPECIAL_IPV4)('no address of %s is public', (cidr) => {
    fc.assert(fc.property(inIpv4(cidr), (address) => !isPublicAddress(address)));
  });

  it.each(SPECIAL_IPV6_STARTS)(
    'no IPv6 address that begins with the bits of %d, %d long, is',
    (start, length) => {
      const first = fc.nat(2 ** (16 - length) - 1).map((rest) => (start + rest).toString(16));
      fc.assert(fc.property(first, hextets(7), (head, tail) => !isPublicAddress(`${head}:${tail}`)));
    },
  );

  it.each(['::', '::ffff:', '::ffff:0:', '64:ff9b::'])('no IPv4 address behind %s is', (prefix) => {
    fc.assert(fc.property(lastBytes, (bits) => !isPublicAddress(prefix + toDotted(bits))));
  });

  it('says so of any text without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => !isPublicAddress(text) || /^[\d.]+$/.test(text)));
  });
});
