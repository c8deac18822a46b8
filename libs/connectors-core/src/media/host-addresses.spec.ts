import { isIP } from 'node:net';
import fc from 'fast-check';
import { ConnectorError } from '../connector-error.js';
import { addressesOf, fixedLookup, type ResolveHost } from './host-addresses.js';
import { toMediaTarget } from './media-url.js';
import { isPublicAddress } from './public-address.js';

const HOSTS = { allowed: ['files.internal'], variable: 'X_ATTACHMENT_HOSTS' };
const never = new AbortController().signal;

const ask = (resolve: ResolveHost, url = 'https://files.example/'): Promise<readonly string[]> =>
  addressesOf(toMediaTarget(url, HOSTS), HOSTS, resolve, never);

const answering =
  (answer: unknown): ResolveHost =>
  () =>
    Promise.resolve(answer);

const failing =
  (reason: unknown): ResolveHost =>
  () =>
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is no Error is the case that is tested
    Promise.reject(reason);

describe('addressesOf', () => {
  it.each([
    ['a private address', ['10.0.0.7']],
    ['a private address among public ones', ['93.184.216.34', '127.0.0.1']],
    ['a link-local address', ['fe80::1']],
    ['IPv4 inside IPv6', ['::ffff:93.184.216.34']],
  ])('refuses a name that stands for %s', async (_name, addresses) => {
    await expect(ask(answering(addresses))).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: 'its address is not public',
      hint: expect.stringContaining('X_ATTACHMENT_HOSTS') as string, // a matcher stands for a string
    });
  });

  it('does not judge the addresses of an allowed host', async () => {
    await expect(ask(answering(['10.0.0.7']), 'http://files.internal/')).resolves.toEqual(['10.0.0.7']);
  });

  it('asks nobody for an address', async () => {
    await expect(ask(failing('asked'), 'https://[2606:4700::1111]/')).resolves.toEqual(['2606:4700::1111']);
  });

  it('refuses a host that does not exist', async () => {
    const notFound = Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
    await expect(ask(failing(notFound))).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' });
  });

  it.each(['EBADNAME', 'EBADQUERY', 'EBADSTR', 'ERR_INVALID_ARG_VALUE'])(
    'refuses a name that cannot be asked for (%s), allowed or not',
    async (code) => {
      const malformed = failing(Object.assign(new Error('queryA'), { code }));
      for (const url of ['https://files.example/', 'http://files.internal/']) {
        await expect(ask(malformed, url)).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' });
      }
    },
  );

  it.each([
    ['no address', answering([])],
    ['nothing', answering(undefined)],
    ['null', answering(null)],
    ['a text', answering('93.184.216.34')],
    ['an object', answering({ address: '93.184.216.34', family: 4 })],
    ['names', answering(['localhost', ''])],
    ['addresses in another form', answering(['0177.0.0.1', '2130706433'])],
    ['an error', failing(new Error('boom'))],
    ['a refusal', failing(Object.assign(new Error('x'), { code: 'ESERVFAIL' }))],
    ['no Error', failing('boom')],
    ['nothing, as an error', failing(undefined)],
    [
      'an exception',
      () => {
        throw new TypeError('addresses is not iterable');
      },
    ],
  ])('is tried again later where the look-up gives %s', async (_name, resolve) => {
    await expect(ask(resolve)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
      ambiguous: false,
    });
  });

  it('gives public addresses or a ConnectorError, whatever the look-up gives', async () => {
    const anything = fc.oneof(fc.anything(), fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())));
    await fc.assert(
      fc.asyncProperty(anything, async (answer) => {
        const result: unknown = await ask(answering(answer)).catch((error: unknown) => error);
        return Array.isArray(result)
          ? result.length > 0 && result.every((address) => isPublicAddress(String(address)))
          : result instanceof ConnectorError;
      }),
    );
  });
});

describe('fixedLookup', () => {
  it('gives what it was made with, in both forms of the question', () => {
    const lookup = fixedLookup(['93.184.216.34', '2606:4700::1111']);
    const answers: unknown[] = [];
    const note = (...answer: unknown[]): void => {
      answers.push(answer);
    };
    lookup('rebound.example', { all: true }, note);
    lookup('rebound.example', {}, note);
    expect(answers).toEqual([
      [
        null,
        [
          { address: '93.184.216.34', family: 4 },
          { address: '2606:4700::1111', family: isIP('::') },
        ],
      ],
      [null, '93.184.216.34', 4],
    ]);
  });
});
