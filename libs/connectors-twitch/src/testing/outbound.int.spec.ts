import { ConnectorError, type SendOptions, type SendReceipt } from '@bitbrat/connectors-core';
import { ManualClock } from '@bitbrat/foundation/testing';
import { fastClock, Gateway, type GatewayOptions, waitFor } from './twitch-world.js';

const FAMILY = '👨‍👩‍👧‍👦';
let gateway: Gateway;
let keys = 0;

async function running(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  await gateway.start();
}

async function runningAsModerator(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  gateway.sandbox.twitch.configureChannel('bitbrat', { moderators: ['bitbrat_bot'] });
  await gateway.start();
}

function say(text: string, options: Partial<SendOptions> = {}, channel = 'bitbrat'): Promise<SendReceipt> {
  const idempotencyKey = `event-${(keys += 1)}`;
  return gateway.connector.sendText(text, channel, { idempotencyKey, mayHaveBeenSent: false, ...options });
}

afterEach(async () => {
  await gateway.dispose();
});

describe('a message', () => {
  it('is sent once, with the id that Twitch gave it, as an answer where it is one', async () => {
    await running();
    const { id: inReplyTo } = gateway.write('hello?');
    const { duplicate, platformMessageIds } = await say('hi there', { inReplyTo });
    const [message] = gateway.sandbox.twitch.messages('bitbrat').filter(({ via }) => via === 'irc');
    expect(message).toMatchObject({ id: platformMessageIds[0], text: 'hi there', replyTo: inReplyTo });
    expect(duplicate).toBe(false);
  });

  it.each([
    ['msg_banned', 'FORBIDDEN'],
    ['msg_slowmode', 'RATE_LIMITED'],
    ['msg_rejected', 'PAYLOAD_INVALID'],
    ['msg_channel_suspended', 'TARGET_NOT_FOUND'],
    ['msg_of_tomorrow', 'PAYLOAD_INVALID'],
  ])('refused with %s is %s, and the next one goes', async (msgId, code) => {
    await runningAsModerator();
    gateway.sandbox.twitch.injectFault({ kind: 'refuse-message', msgId, count: 1 });
    await expect(say('no')).rejects.toMatchObject({ code, nativeCode: msgId });
    await say('yes');
    expect(gateway.sent()).toEqual(['yes']);
  });

  it('is refused with how long to wait in a slow room', async () => {
    await running();
    gateway.sandbox.twitch.configureChannel('bitbrat', { slowSeconds: 30 });
    await say('one');
    const error: unknown = await say('two').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', nativeCode: 'msg_slowmode' });
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(25_000); // a ConnectorError, as just checked
  });

  it('whose confirmation is late is known at the next try, and not sent again', async () => {
    await runningAsModerator({ config: { confirmSeconds: 1 } });
    gateway.sandbox.twitch.injectFault({ kind: 'delay-ack', delayMs: 1_200, count: 1 });
    await expect(say('late', { idempotencyKey: 'late' })).rejects.toMatchObject({
      code: 'TIMEOUT',
      ambiguous: true,
    });
    const heard = gateway.details['lastHeardAt'];
    await waitFor(() => gateway.details['lastHeardAt'] !== heard, 'the late confirmation');
    await expect(say('late', { idempotencyKey: 'late', mayHaveBeenSent: true })).resolves.toMatchObject({
      duplicate: true,
    });
    expect(gateway.sent()).toEqual(['late']);
  });

  it.each(['silence', 'drop'] as const)(
    'whose confirmation is lost (%s) is sent once, as Twitch knows it',
    async (how) => {
      await running({ config: { confirmSeconds: 1 } });
      gateway.sandbox.twitch.injectFault({ kind: 'lose-ack', how, count: 1 });
      await expect(say('lost', { idempotencyKey: 'lost' })).rejects.toMatchObject({ ambiguous: true });
      if (how === 'drop') await gateway.restart();
      await expect(say('lost', { idempotencyKey: 'lost', mayHaveBeenSent: true })).resolves.toMatchObject({
        duplicate: true,
      });
      expect(gateway.sent()).toEqual(['lost']);
      await say('next');
      expect(gateway.sent()).toEqual(['lost', 'next']);
    },
  );

  it('whose confirmation the process did not live to see is sent once, as Twitch knows it', async () => {
    await running({ config: { confirmSeconds: 1 } });
    gateway.sandbox.twitch.injectFault({ kind: 'lose-ack', count: 1 });
    await expect(say('lost', { idempotencyKey: 'lost' })).rejects.toMatchObject({ ambiguous: true });
    await gateway.connector.stop();
    const { connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    await expect(
      connector.sendText('lost', 'bitbrat', { idempotencyKey: 'lost', mayHaveBeenSent: true }),
    ).resolves.toMatchObject({ duplicate: true });
    await connector.stop();
    expect(gateway.sent()).toEqual(['lost']);
  });

  it('that was lost on the way is sent by the next try', async () => {
    await running({ config: { confirmSeconds: 1 } });
    gateway.sandbox.twitch.injectFault({ kind: 'swallow-message', count: 1 });
    await expect(say('again', { idempotencyKey: 'again' })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(say('again', { idempotencyKey: 'again', mayHaveBeenSent: true })).resolves.toMatchObject({
      duplicate: false,
    });
    expect(gateway.sent()).toEqual(['again']);
  });

  it('may be repeated: each event is heard, though the texts are the same', async () => {
    await running();
    for (const text of ['same', 'the same words']) {
      for (let i = 0; i < 3; i++) await say(text);
    }
    const seen = gateway.sent().map((text) => text.replace(/ \u034f$/u, '').replace(/ +/g, ' '));
    expect(seen).toEqual([...Array<string>(3).fill('same'), ...Array<string>(3).fill('the same words')]);
  });

  it('with the text of another event is heard, too, after a restart of the process', async () => {
    await running();
    await say('same', { idempotencyKey: 'one' });
    await gateway.connector.stop();
    const { connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    const receipt = await connector.sendText('same', 'bitbrat', {
      idempotencyKey: 'two',
      mayHaveBeenSent: true,
    });
    await connector.stop();
    const ids = gateway.sandbox.twitch.messages('bitbrat').map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(receipt).toEqual({ platformMessageIds: [ids[1]], duplicate: false });
  });

  it('that Twitch refuses as a repetition however it is varied is sent when half a minute is over', async () => {
    await running({
      // It drops what is to tell the texts apart.
      sandbox: { dropped: /[\u034f\u{e0000}]|(?<= ) /gu, duplicateWindowMs: 2_000 },
      clock: fastClock(10, 5_000),
      config: { maxSendWaitSeconds: 60, confirmSeconds: 60 },
    });
    for (const text of ['same', 'the same words']) {
      for (let i = 0; i < 2; i++) await untilSent(text);
    }
    expect(gateway.sent()).toEqual(['same', 'same', 'the same words', 'the same words']);
  });
});

/** As the service does: what is refused for now is tried again when it may be. */
async function untilSent(text: string): Promise<void> {
  const idempotencyKey = `event-${(keys += 1)}`;
  await waitFor(
    () =>
      say(text, { idempotencyKey }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof ConnectorError && error.code === 'RATE_LIMITED') return false;
          throw error;
        },
      ),
    `"${text}" to be sent`,
  );
}

describe('text that is not trusted', () => {
  it.each([
    'hello\r\nPRIVMSG #victim :injected',
    '\r\n/ban alice',
    '/ban alice',
    ' /ban alice',
    '/me waves',
    '.timeout alice 600',
    '.me waves',
    '\\ban alice',
    '\0/ban alice',
    '\u0001ACTION waves\u0001',
    '/w alice psst',
    '/disconnect',
    '@client-nonce=x PRIVMSG #victim :injected',
    ':tmi.twitch.tv PRIVMSG #victim :injected',
    '@everyone',
    '\u{e0000}/ban alice',
    '\u200b.timeout alice 600',
    `${'x'.repeat(485)} /ban alice`,
    `${'x'.repeat(490)}/ban alice`,
  ])('executes nothing: %j', async (text) => {
    await runningAsModerator();
    await say(text);
    const messages = gateway.sandbox.twitch.messages('bitbrat');
    expect(gateway.sandbox.twitch.commands()).toEqual([]);
    expect(messages.some(({ action, cut }) => action || cut)).toBe(false);
    expect(gateway.sandbox.twitch.messages('victim')).toEqual([]);
    expect(gateway.sandbox.twitch.channel('bitbrat').banned).toEqual([]);
    const seen = (all: string): string => all.replace(/[\s\p{Cc}\u200b\u{e0000}]+/gu, '');
    expect(seen(messages.map((message) => message.text.replace(/^> /, '')).join(''))).toBe(seen(text));
  });

  it.each(['a\r\nJOIN #x', 'a b', 'a;badges=x'])('refuses the inReplyTo %j', async (inReplyTo) => {
    await running();
    await expect(say('hi', { inReplyTo })).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' });
    expect(gateway.sandbox.twitch.commands()).toEqual([]);
  });

  it('of 10,000 characters of emoji families arrives with none cut', async () => {
    await runningAsModerator();
    const text = FAMILY.repeat(909);
    await say(text);
    expect(gateway.sent().join('')).toBe(text);
    for (const part of gateway.sent()) expect(part).toBe(FAMILY.repeat(part.length / FAMILY.length));
  });
});

describe("Twitch's rate limit", () => {
  it.each([
    ['ordinary', 60],
    ['moderator', 200],
  ])('is never crossed: %s, %i messages at once', async (standing, count) => {
    const clock = new ManualClock();
    const channels = ['one', 'two', 'three'];
    gateway = await Gateway.create({
      clock,
      sandbox: { channels, now: clock.now },
      config: { maxSendWaitSeconds: 60, confirmSeconds: 60 },
    });
    if (standing === 'moderator') {
      for (const channel of channels) {
        gateway.sandbox.twitch.configureChannel(channel, { moderators: ['bitbrat_bot'] });
      }
    }
    await gateway.start();
    let sent = 0;
    let isOver = false;
    const all = Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const channel = channels[i % channels.length] ?? '';
        for (;;) {
          try {
            await say(`message ${i}`, { idempotencyKey: `m${i}` }, channel);
            sent += 1;
            return;
          } catch (error) {
            if ((error as { code?: unknown }).code !== 'RATE_LIMITED') throw error; // whatever it is
          }
        }
      }),
    ).finally(() => (isOver = true));
    await waitFor(
      async () => {
        const before = sent;
        await waitFor(() => sent > before || isOver, 'progress', 30).catch(() => clock.advance(1_000));
        return isOver;
      },
      'all messages',
      25_000,
    );
    await all;
    expect(channels.map((channel) => gateway.sent(channel).length).reduce((sum, n) => sum + n)).toBe(count);
    for (const [i, channel] of channels.entries()) {
      const mine = Array.from({ length: count }, (_, n) => n).filter((n) => n % channels.length === i);
      expect(gateway.sent(channel)).toEqual(mine.map((n) => `message ${n}`));
    }
  });

  it('is kept over a restart: 45 answers wait, each exists once, and Twitch ignores none', async () => {
    const clock = new ManualClock();
    const channels = ['one', 'two', 'three'];
    gateway = await Gateway.create({
      clock,
      sandbox: { channels, now: clock.now },
      config: { maxSendWaitSeconds: 10, confirmSeconds: 10 },
    });
    await gateway.start();
    const { connector: next } = gateway.restarted();
    let connector = gateway.connector;
    let sent = 0;
    const failures: unknown[] = [];
    const all = Promise.all(
      Array.from({ length: 45 }, async (_, i) => {
        const options = { idempotencyKey: `answer ${i}`, mayHaveBeenSent: false };
        for (;;) {
          try {
            await connector.sendText(`answer ${i}`, channels[i % 3] ?? '', options);
            sent += 1;
            return;
          } catch (error) {
            const { ambiguous, code } = error as ConnectorError; // it rejects with nothing else
            if (ambiguous) failures.push(error);
            if (ambiguous || (code !== 'RATE_LIMITED' && code !== 'NOT_CONNECTED')) return;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      }),
    );
    let hasRestarted = false;
    await waitFor(
      async () => {
        await clock.advance(400);
        if (sent >= 15 && !hasRestarted) {
          hasRestarted = true;
          await gateway.connector.stop();
          await next.start(new AbortController().signal);
          connector = next;
        }
        return sent + failures.length >= 45;
      },
      'all answers',
      40_000,
    );
    await all;
    expect(failures).toEqual([]);
    expect(gateway.sandbox.twitch.isMuted('bitbrat_bot')).toBe(false);
    expect(channels.flatMap((channel) => gateway.sent(channel)).sort()).toEqual(
      Array.from({ length: 45 }, (_, i) => `answer ${i}`).sort(),
    );
    await next.stop();
  }, 60_000);

  it('is told to those who would have to wait too long', async () => {
    await running({ config: { maxSendWaitSeconds: 0 } });
    await say('one');
    const error: unknown = await say('two').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
  });
});
