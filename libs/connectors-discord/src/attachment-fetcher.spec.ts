import { type lookup } from 'node:dns';
import { AttachmentFetcher } from './attachment-fetcher.js';

type Callback = (error: Error | null, addresses: { address: string; family: number }[]) => void;

/** A name server that answers each name with these addresses. */
const answering = (...addresses: string[]): typeof lookup => {
  const fake = (_name: string, _options: unknown, callback: Callback): void => {
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return fake as unknown as typeof lookup; // the one overload that the fetcher uses
};

const fetchOne = (url: string, addresses: string[] = []): Promise<unknown> =>
  new AttachmentFetcher({
    allowedHosts: ['allowed.example'],
    timeoutMs: 1_000,
    lookup: answering(...addresses),
  }).fetchAll([{ url }], new AbortController().signal);

describe('AttachmentFetcher', () => {
  it.each([
    ['plain http', 'http://files.example/a.png'],
    ['a file', 'file:///etc/passwd'],
    ['data', 'data:text/plain,hello'],
    ['a user in the URL', 'https://user:secret@files.example/a.png'],
    ['loopback', 'https://127.0.0.1/a.png'],
    ['loopback in another notation', 'https://2130706433/a.png'],
    ['loopback in octal', 'https://0177.0.0.1/a.png'],
    ['loopback of IPv6', 'https://[::1]/a.png'],
    ['IPv4 inside IPv6', 'https://[::ffff:10.0.0.1]/a.png'],
    ['the metadata server', 'https://169.254.169.254/latest/meta-data'],
  ])('refuses %s without a connection', async (_name, url) => {
    await expect(fetchOne(url)).rejects.toMatchObject({ code: 'PAYLOAD_INVALID', retryable: false });
  });

  it.each([
    ['a private address', ['10.0.0.7']],
    ['a private address among public ones', ['93.184.216.34', '127.0.0.1']],
    ['a link-local address', ['fe80::1']],
  ])('refuses a name that stands for %s', async (_name, addresses) => {
    await expect(fetchOne('https://files.example/a.png', addresses)).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: 'attachment 1: its address is not public',
    });
  });

  it('tries later what has no address now', async () => {
    await expect(fetchOne('https://files.example/a.png')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
  });

  it('does not tell the URL, which may hold a secret', async () => {
    const error: unknown = await fetchOne('http://files.example/a.png?token=s3cret').catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).not.toContain('s3cret');
  });

  it('ends when the caller gives up', async () => {
    const fetcher = new AttachmentFetcher({
      allowedHosts: [],
      timeoutMs: 1_000,
      lookup: answering('93.184.216.34'),
    });
    const fetching = fetcher.fetchAll([{ url: 'https://files.example/a.png' }], AbortSignal.abort());
    await expect(fetching).rejects.toMatchObject({ code: 'TIMEOUT' });
  });
});
