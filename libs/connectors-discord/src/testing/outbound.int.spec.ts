import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type SendOptions } from '@bitbrat/connectors-core';
import { fastClock, Gateway, type GatewayOptions } from './discord-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await Gateway.create(options);
  await gateway.start();
  return gateway;
}

let keys = 0;
const send = (
  text: string,
  options: Partial<SendOptions> = {},
  channelId = gateway.general,
): ReturnType<Gateway['connector']['sendText']> =>
  gateway.connector.sendText(text, channelId, {
    idempotencyKey: `key-${(keys += 1)}`,
    mayHaveBeenSent: false,
    ...options,
  });

afterEach(async () => {
  await gateway.dispose();
});

describe('outbound', () => {
  it('pings nobody, whatever the text says', async () => {
    await running();
    const { discord } = gateway.sandbox;
    const { author } = discord.messages(gateway.general, gateway.write('hi').channelId)[0] ?? {};
    await send(`@everyone @here <@${author?.id ?? ''}>`);
    const [message] = gateway.sent();
    expect(message?.content).toContain('@everyone');
    expect(message?.pings).toEqual({ everyone: false, users: [], roles: [] });
    expect(message?.allowedMentions).toEqual({ parse: [], replied_user: false });
  });

  it('pings people where the configuration allows it, never everyone', async () => {
    await running({ config: { allowedMentions: 'users' } });
    gateway.write('hi');
    const userId = gateway.sandbox.discord.messages(gateway.general)[0]?.author.id ?? '';
    await send(`@everyone <@${userId}>`);
    expect(gateway.sent()[0]?.pings).toMatchObject({ everyone: false, users: [userId] });
  });

  it('answers a message, and a message that is gone', async () => {
    await running();
    const { id } = gateway.write('question');
    await send('answer', { inReplyTo: id });
    gateway.sandbox.discord.deleteMessage(id);
    await send('late answer', { inReplyTo: id });
    expect(gateway.sent().map(({ content, replyTo }) => [content, replyTo])).toEqual([
      ['answer', id],
      ['late answer', null],
    ]);
  });

  it.each([
    ['a fault before the work', { status: 503 }],
    ['a fault after the work', { loseAnswer: 'drop' }],
  ] as const)('sends once in spite of %s', async (_name, fault) => {
    await running({ clock: fastClock(20) });
    gateway.sandbox.discord.injectFault({ kind: 'request', operation: 'createMessage', count: 2, ...fault });
    const { platformMessageIds } = await send('once');
    expect(gateway.sent().map(({ id }) => id)).toEqual(platformMessageIds);
    expect(gateway.count('createMessage', 'rest')).toBe(3);
  });

  it('sends once over a restart, and says so', async () => {
    await running();
    await send('once', { idempotencyKey: 'same' });
    const { connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    const options = { idempotencyKey: 'same', mayHaveBeenSent: true };
    const receipt = await connector.sendText('once', gateway.general, options);
    await connector.stop();
    expect(gateway.sent().map(({ id }) => id)).toEqual(receipt.platformMessageIds);
  });

  it.each([600_000, -600_000])(
    'waits no longer for a rate limit when the clock is set by %i ms',
    async (byMs) => {
      await running({ sandbox: { channelLimit: 1, channelWindowMs: 300 } });
      const trueNow = Date.now.bind(Date);
      await send('the last one for now');
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => trueNow() + byMs);
      try {
        await send('after the limit');
      } finally {
        clock.mockRestore();
      }
      await send('afterwards');
    },
  );

  it('waits out a short rate limit and reports a long one', async () => {
    await running();
    const fault = { kind: 'request', operation: 'createMessage', status: 429, count: 1 } as const;
    gateway.sandbox.discord.injectFault({ ...fault, retryAfterMs: 300 });
    await send('after a short wait');
    gateway.sandbox.discord.injectFault({ ...fault, retryAfterMs: 60_000, rateLimit: 'retry-after' });
    await expect(send('too long')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    gateway.sandbox.discord.injectFault({ ...fault, rateLimit: 'bare' });
    await expect(send('no delay told', {}, gateway.sandbox.discord.channels()[1]?.id)).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 5_000,
    });
    expect(gateway.sent().map(({ content }) => content)).toEqual(['after a short wait']);
  });

  describe('a message that expires before it may leave', () => {
    const limit = { kind: 'request', operation: 'createMessage', status: 429, count: 1 } as const;

    it.each(['headers', 'retry-after'] as const)(
      'is given back at once where a limit (%s) is longer, and a message without expiry still waits',
      async (rateLimit) => {
        await running();
        gateway.sandbox.discord.injectFault({ ...limit, rateLimit, retryAfterMs: 5_000 });
        const from = Date.now();
        const late = send('late', { expiresAt: from + 2_000 });
        await expect(late).rejects.toMatchObject({ code: 'RATE_LIMITED', ambiguous: false });
        expect(Date.now() - from).toBeLessThan(2_000);
        await send('waits');
        expect(gateway.sent().map(({ content }) => content)).toEqual(['waits']);
      },
    );

    it('does not leave when its turn comes, whatever took so long', async () => {
      await running({ sandbox: { channelLimit: 1, channelWindowMs: 1_000 } });
      const expiresAt = Date.now() + 700;
      const texts = ['first', 'waits for the limit', 'waits behind it'];
      const results = await Promise.allSettled(
        texts.map((text, i) => send(text, i === 2 ? { expiresAt } : {})),
      );
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      expect(results[2]).toMatchObject({ reason: { code: 'EXPIRED', ambiguous: false } });
      expect(gateway.sent().map(({ content }) => content)).toEqual(texts.slice(0, 2));
    });
  });

  it('keeps the order of a channel, faults or not', async () => {
    await running({ clock: fastClock(20) });
    const fault = { kind: 'request', operation: 'createMessage', probability: 0.3, status: 502 } as const;
    gateway.sandbox.discord.injectFault(fault);
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    const results = await Promise.allSettled(texts.map((text) => send(text)));
    const accepted = texts.filter((_, i) => results[i]?.status === 'fulfilled');
    expect(gateway.sent().map(({ content }) => content)).toEqual(accepted);
  });

  it.each([
    ['a channel that the bot may not write in', 'read-only', 'FORBIDDEN'],
    ['a channel that the bot cannot see', 'none', 'FORBIDDEN'],
  ] as const)('refuses %s', async (_name, access, code) => {
    await running();
    const { id } = gateway.sandbox.discord.createChannel({ name: 'closed', access });
    await expect(send('x', {}, id)).rejects.toMatchObject({ code, retryable: false });
  });

  it.each([
    ['a destination that is no id', 'x', 'general', {}, 'TARGET_NOT_FOUND'],
    ['an inReplyTo that is no id', 'x', undefined, { inReplyTo: 'SM123' }, 'PAYLOAD_INVALID'],
    ['white space alone', ' \n ', undefined, {}, 'PAYLOAD_INVALID'],
  ] as const)('refuses %s without asking', async (_name, text, channelId, options, code) => {
    await running();
    await expect(send(text, options, channelId)).rejects.toMatchObject({ code });
    expect(gateway.count('createMessage', 'rest')).toBe(0);
  });

  it('survives one 401 and fails when the token is really gone', async () => {
    await running();
    const fault = { kind: 'request', operation: 'createMessage', status: 401 } as const;
    gateway.sandbox.discord.injectFault({ ...fault, count: 1 });
    await expect(send('refused once')).rejects.toMatchObject({ code: 'NOT_CONNECTED', retryable: true });
    await send('goes on');
    gateway.sandbox.discord.injectFault({ kind: 'request', status: 401 });
    await expect(send('refused')).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    expect(gateway.status).toBe('failed');
    expect(gateway.sent().map(({ content }) => content)).toEqual(['goes on']);
  });

  it('sends nothing after a stop, not even what waited for a rate limit', async () => {
    await running();
    const fault = { kind: 'request', operation: 'createMessage', status: 429, count: 1 } as const;
    gateway.sandbox.discord.injectFault({ ...fault, retryAfterMs: 1_000 });
    const sending = send('too late');
    await gateway.sandbox.discord.waitFor(
      () => (gateway.count('createMessage', 'rest') > 0 ? true : undefined),
      'the request',
    );
    await gateway.connector.stop();
    await expect(sending).rejects.toMatchObject({ code: 'TIMEOUT' });
    const sent = gateway.sandbox.discord.waitForMessage(({ fromBot }) => fromBot, 1_500);
    await expect(sent).rejects.toThrow('in vain');
  });
});

describe('outbound attachments', () => {
  let files: Server;
  let url = '';

  beforeEach(async () => {
    files = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', url);
      if (pathname === '/here') response.writeHead(302, { location: '/cat.png' }).end();
      else if (pathname === '/away')
        response.writeHead(302, { location: 'https://elsewhere.example/cat.png' }).end();
      else if (pathname === '/missing.png') response.writeHead(404).end();
      else if (pathname === '/huge.bin') response.end(Buffer.alloc(9 * 1024 * 1024));
      else if (pathname === '/silent.png') response.writeHead(200, { 'content-length': '10' }).write('x');
      else response.writeHead(200, { 'content-type': 'image/png' }).end('meow');
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    const { port } = files.address() as AddressInfo; // it listens on TCP
    url = `http://127.0.0.1:${port}`;
  });

  afterEach(async () => {
    files.closeAllConnections();
    await new Promise((resolve) => files.close(resolve));
  });

  const withHost = (requestTimeoutSeconds = 10): Promise<Gateway> =>
    running({ config: { attachmentHosts: [new URL(url).host], requestTimeoutSeconds } });

  it('are uploaded with their names and types', async () => {
    await withHost();
    const attachments = [
      { url: `${url}/cat.png` },
      { url: `${url}/here`, fileName: '../../evil\n.txt', contentType: 'text/plain' },
    ];
    await send('look', { attachments });
    await send('', { attachments: attachments.slice(0, 1) });
    const [first, second] = gateway.sent();
    expect(first).toMatchObject({
      content: 'look',
      attachments: [
        { filename: 'cat.png', contentType: 'image/png', size: 4 },
        { filename: '.._.._evil_.txt', size: 4 },
      ],
    });
    expect(second).toMatchObject({ content: '', attachments: [{ filename: 'cat.png' }] });
  });

  it('go with the last part of a long text', async () => {
    await withHost();
    await send('word '.repeat(500), { attachments: [{ url: `${url}/cat.png` }] });
    expect(gateway.sent().map(({ attachments }) => attachments.length)).toEqual([0, 1]);
  });

  it.each([
    ['/away', 'PAYLOAD_INVALID'],
    ['/missing.png', 'PAYLOAD_INVALID'],
    ['/huge.bin', 'PAYLOAD_INVALID'],
    ['/silent.png', 'TIMEOUT'],
  ])('%s is %s, and nothing is sent', async (path, code) => {
    await withHost(code === 'TIMEOUT' ? 1 : 10);
    await expect(send('look', { attachments: [{ url: url + path }] })).rejects.toMatchObject({ code });
    expect(gateway.sent()).toEqual([]);
  });

  it.each(['https://nowhere.invalid/cat.png', 'https://x/%ZZ', 'https://nowhere.invalid:1/'])(
    'that cannot be had (%s) fail by themselves: the next text of the channel goes out',
    async (bad) => {
      await withHost();
      const attachments = [{ url: `${url}/cat.png` }, { url: bad }];
      const failing = send('look', { attachments });
      const next = send('next');
      await expect(failing).rejects.toMatchObject({ name: 'ConnectorError', ambiguous: false });
      await next;
      expect(gateway.sent().map(({ content }) => content)).toEqual(['next']);
    },
  );

  it('are not fetched from private addresses, nor by plain http, unless the host is allowed', async () => {
    await running();
    for (const address of [
      url,
      url.replace('http:', 'https:'),
      'https://localhost/x',
      'https://[::1]/x',
      'https://169.254.169.254/x',
    ]) {
      await expect(send('look', { attachments: [{ url: address }] })).rejects.toMatchObject({
        code: 'PAYLOAD_INVALID',
      });
    }
    expect(gateway.sent()).toEqual([]);
  });
});
