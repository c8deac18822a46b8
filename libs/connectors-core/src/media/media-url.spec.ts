import fc from 'fast-check';
import { ConnectorError } from '../connector-error.js';
import { type MediaHosts, type MediaTarget, toMediaTarget, toRedirectTarget } from './media-url.js';

const HOSTS: MediaHosts = {
  allowed: ['127.0.0.1:4010', 'files.internal'],
  variable: 'X_ATTACHMENT_HOSTS',
};
const PUBLIC = toMediaTarget('https://files.example/a.png', HOSTS);
const ALLOWED = toMediaTarget('http://127.0.0.1:4010/a.png', HOSTS);

const errorOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('toMediaTarget', () => {
  it.each([
    ['nothing', ''],
    ['words', 'see my cat'],
    ['a path', '/a.png'],
    ['no host', 'https://'],
    ['an IPv4 address that does not exist', 'https://1.2.3.400/a.png'],
    ['a port that does not exist', 'https://files.example:99999/'],
    ['a broken escape', 'https://x/%ZZ'],
    ['a broken escape in a folder', 'https://x/%E0%A4%A/a.png'],
    ['half an escape', 'https://x/100%'],
  ])('calls malformed: %s', (_name, url) => {
    expect(errorOf(() => toMediaTarget(url, HOSTS))).toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: 'its URL is malformed',
    });
  });

  it.each([
    ['a label of 64 characters', `https://${'a'.repeat(64)}.example/`],
    ['an empty label', 'https://files..example/'],
    ['an empty first label', 'https://.files.example/'],
    ['two dots at its end', 'https://files.example../'],
    ['254 characters', `https://${'a.'.repeat(127)}/`.replace('./', 'bc/')],
    ['a label that is too long in ASCII only', `https://${'ü'.repeat(60)}.example/`],
  ])('refuses a host name with %s before anybody is asked', (_name, url) => {
    expect(errorOf(() => toMediaTarget(url, HOSTS))).toMatchObject({ code: 'PAYLOAD_INVALID' });
  });

  it('takes host names of any length that DNS allows', () => {
    const labels = fc.array(fc.stringMatching(/^[a-z]{1,63}$/), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(labels, fc.boolean(), (names, hasDot) => {
        const name = names.join('.').slice(0, 253).replace(/\.$/, '');
        const { url } = toMediaTarget(`https://${name}${hasDot ? '.' : ''}/`, HOSTS);
        expect(url.hostname.startsWith(name)).toBe(true);
      }),
    );
  });

  it.each([
    ['plain http', 'http://files.example/a.png'],
    ['plain http at another port of an allowed host', 'http://127.0.0.1:4011/a.png'],
    ['a file', 'file:///etc/passwd'],
    ['data', 'data:text/plain,hello'],
    ['ftp', 'ftp://files.example/a.png'],
    ['a user', 'https://user@files.example/a.png'],
    ['a user and a password', 'https://user:secret@files.example/a.png'],
    ['a user at an allowed host', 'http://user:secret@127.0.0.1:4010/a.png'],
    ['loopback', 'https://127.0.0.1/a.png'],
    ['loopback as a number', 'https://2130706433/a.png'],
    ['loopback in octal', 'https://0177.0.0.1/a.png'],
    ['loopback in hexadecimal', 'https://0x7f000001/a.png'],
    ['loopback in short', 'https://127.1/a.png'],
    ['loopback with a dot at its end', 'https://127.0.0.1./a.png'],
    ['loopback in wide digits', 'https://１２７.０.０.１/a.png'],
    ['loopback of IPv6', 'https://[::1]/a.png'],
    ['IPv4 inside IPv6', 'https://[::ffff:10.0.0.1]/a.png'],
    ['the metadata server', 'https://169.254.169.254/latest/meta-data'],
  ])('refuses %s', (_name, url) => {
    expect(errorOf(() => toMediaTarget(url, HOSTS))).toMatchObject({
      code: 'PAYLOAD_INVALID',
      retryable: false,
    });
  });

  it.each([
    ['https://files.example/a%20cat.png?token=%zz', false],
    ['https://files.example:8443/', false],
    ['https://93.184.216.34/', false],
    ['http://127.0.0.1:4010/a.png', true],
    ['http://files.internal/a.png', true],
    ['https://files.internal/a.png', true],
  ])('takes %s', (url, isAllowed) => {
    expect(toMediaTarget(url, HOSTS)).toMatchObject({ isAllowed });
  });

  it('takes or refuses any text, and never says it', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl({ withQueryParameters: true }));
    fc.assert(
      fc.property(text, fc.uuid(), (before, secret) => {
        try {
          return !toMediaTarget(`${before}${secret}`, HOSTS).isAllowed;
        } catch (error) {
          return error instanceof ConnectorError && !`${error.message} ${error.hint}`.includes(secret);
        }
      }),
    );
  });
});

describe('toRedirectTarget', () => {
  it.each<[string, MediaTarget, unknown]>([
    ['nowhere', PUBLIC, undefined],
    ['several places', PUBLIC, ['https://a.example/', 'https://b.example/']],
    ['what is malformed', PUBLIC, 'https://'],
    ['a broken escape', PUBLIC, '/%ZZ'],
    ['plain http', PUBLIC, 'http://files.example/a.png'],
    ['a private address', PUBLIC, 'https://10.0.0.1/'],
    ['the metadata server, from an allowed host', ALLOWED, 'http://169.254.169.254/'],
    ['an allowed host, from another', PUBLIC, 'https://127.0.0.1:4010/a.png'],
    ['a user', PUBLIC, 'https://user@files.example/'],
    ['a script', PUBLIC, 'javascript:alert(1)'],
  ])('does not follow to %s', (_name, from, location) => {
    expect(errorOf(() => toRedirectTarget(from, location, HOSTS))).toMatchObject({ code: 'PAYLOAD_INVALID' });
  });

  it.each<[MediaTarget, string, string, boolean]>([
    [PUBLIC, '/b.png', 'https://files.example/b.png', false],
    [PUBLIC, 'https://cdn.example/b.png', 'https://cdn.example/b.png', false],
    [PUBLIC, 'https://files.internal/b.png', 'https://files.internal/b.png', false],
    [ALLOWED, 'b.png', 'http://127.0.0.1:4010/b.png', true],
    [ALLOWED, 'http://files.internal/b.png', 'http://files.internal/b.png', true],
    [ALLOWED, 'https://cdn.example/b.png', 'https://cdn.example/b.png', false],
  ])('follows from %j to %s', (from, location, href, isAllowed) => {
    const target = toRedirectTarget(from, location, HOSTS);
    expect([target.url.href, target.isAllowed]).toEqual([href, isAllowed]);
  });
});
