import { encodeOutcome } from '@bitbrat/envelope';
import { type EgressOutcome, type IngressEnvelope } from './contract.js';
import { BotWorld } from './fixtures/bot-world.js';
import { People } from './testing/people.js';

describe('a bot on the bus', () => {
  it('answers people to where they wrote, as the contract says', async () => {
    const world = new BotWorld();
    const people = new People();
    await world.start({ onMessage: ({ text }, { reply }) => reply(`You wrote: ${text}`) });
    const trace = '00-550bbed3d4eb59ab8864401e553b4378-354cb5496b2d53bf-01';
    const message = people.twitch('hello');
    await world.say(message, trace);
    await world.settle();
    expect(world.answers).toMatchObject([
      {
        id: `reply:orders:${message.id}`,
        target: { connector: 'twitch', destination: 'bitbrat' },
        text: 'You wrote: hello',
        correlationId: message.correlationId,
      },
    ]);
    expect(world.attributes).toMatchObject([{ 'ce-source': '/bots/orders', traceparent: trace }]);
  });

  it('gives onMessage what people write and everything else to onEvent', async () => {
    const world = new BotWorld();
    const people = new People();
    const seen: string[] = [];
    const note = (kind: string) => (envelope: IngressEnvelope) => void seen.push(`${kind} ${envelope.type}`);
    await world.start({ onMessage: note('message'), onEvent: note('event') });
    const stop = people.sms('STOP');
    const message = people.sms('hello');
    await world.say(message);
    await world.say(people.edited(message, 'hello!'));
    await world.say(people.deleted(message));
    await world.say({ ...stop, metadata: { ...stop.metadata, consent: 'out' } });
    await world.say(people.consent(stop, 'out'));
    await world.say(people.sms('beep', { isBot: true }));
    await world.settle();
    expect(seen).toEqual([
      'message chat.message.v1',
      'event chat.message.edited.v1',
      'event chat.message.deleted.v1',
      'event chat.message.v1',
      'event contact.consent.v1',
      'event chat.message.v1',
    ]);
  });

  it('handles a message once, however often it comes', async () => {
    const world = new BotWorld();
    await world.start({ onMessage: ({ text }, { reply }) => reply(text) });
    const message = new People().sms('once');
    await Promise.all([world.say(message), world.say(message)]);
    await world.say(message);
    await world.settle();
    expect(world.texts).toEqual(['once']);
  });

  it('numbers several answers, and tells them apart by their keys', async () => {
    const world = new BotWorld();
    const message = new People().sms('x');
    await world.start({
      onMessage: async (_message, { reply }) => {
        await reply('1');
        await reply('2');
        await reply('3', { key: 'shipped' });
      },
    });
    await world.say(message);
    await world.settle();
    expect(world.answers.map(({ id }) => id.replace(`reply:orders:${message.id}`, ''))).toEqual([
      '',
      ':2',
      ':shipped',
    ]);
  });

  it('waits for answers that the handler does not wait for', async () => {
    const world = new BotWorld();
    await world.start({
      onMessage: (_message, { reply }) => {
        void reply('hello');
      },
    });
    await world.say(new People().sms('x'));
    await world.settle();
    expect(world.texts).toEqual(['hello']);
  });

  it('keeps the order of a conversation while others go on', async () => {
    const world = new BotWorld();
    const people = new People();
    const open: (() => void)[] = [];
    await world.start({
      onMessage: async ({ from, text }, { reply }) => {
        if (from === '+15550100' && text === '1') await new Promise<void>((resolve) => open.push(resolve));
        await reply(`${from} ${text}`);
      },
    });
    for (const text of ['1', '2']) await world.say(people.sms(text));
    for (const text of ['1', '2']) await world.say(people.discord(text));
    await world.settle();
    expect(world.texts.map((text) => text.slice(-1))).toEqual(['1', '2']);
    open.forEach((resolve) => {
      resolve();
    });
    await world.settle();
    expect(world.texts.slice(2)).toEqual(['+15550100 1', '+15550100 2']);
  });
});

describe('a handler that fails', () => {
  it('is called again with growing pauses, and its answers keep their ids', async () => {
    const world = new BotWorld();
    const attempts: number[] = [];
    const texts: string[] = [];
    await world.start({
      onMessage: async (message, { attempt, reply }) => {
        attempts.push(attempt);
        texts.push(message.text);
        message.text = 'changed'; // the next attempt must not see it
        await reply('working on it');
        if (attempt < 3) throw new Error('no');
        await reply('done');
      },
    });
    await world.say(new People().sms('x'));
    await world.settle();
    expect(attempts).toEqual([1]);
    await world.clock.advance(10_000);
    expect(attempts).toEqual([1, 2, 3]);
    expect(texts).toEqual(['x', 'x', 'x']);
    const ids = world.answers.map(({ id }) => id);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(new Set(ids).size).toBe(2);
    expect(world.setAside).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(new Error('the shop is closed'))],
    [
      'throws',
      () => {
        throw new Error('the shop is closed');
      },
    ],
  ])(
    'is given up after its attempts where it %s: the message is set aside, and the rest goes on',
    async (_how, fail) => {
      const world = new BotWorld();
      const people = new People();
      await world.start({ onMessage: ({ text }, { reply }) => (text === 'poison' ? fail() : reply(text)) });
      const poison = people.sms('poison');
      await world.say(poison);
      await world.say(people.sms('after'));
      await world.clock.advance(60_000);
      expect(world.texts).toEqual(['after']);
      expect(world.setAside).toHaveLength(1);
      const [letter] = world.setAside;
      expect(JSON.parse(Buffer.from(letter?.data ?? []).toString())).toEqual(poison);
      expect(letter?.attributes).toMatchObject({
        'ce-id': poison.id,
        'bitbrat-bot': 'orders',
        'bitbrat-error-code': 'HANDLER_FAILED',
        'bitbrat-error': 'the shop is closed',
        'bitbrat-attempts': '3',
      });
    },
  );

  it('may throw anything', async () => {
    for (const thrown of [undefined, null, 7, 'x', { toString: () => ({}) }, Object.create(null)]) {
      const world = new BotWorld();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is what is tested
      await world.start({ onMessage: () => Promise.reject(thrown) }, { attempts: 1 });
      await world.say(new People().sms('x'));
      await world.settle();
      expect(world.setAside).toHaveLength(1);
    }
  });

  it('is not called again for an answer that the gateway would refuse', async () => {
    const world = new BotWorld();
    await world.start({ onMessage: (_message, { reply }) => void reply('') });
    await world.say(new People().sms('x'));
    await world.settle();
    expect(world.events('bot.handler.failed')).toHaveLength(1);
    expect(world.setAside[0]?.attributes['bitbrat-error']).toMatch(/text: expected text or an attachment/);
  });

  it('may not use one key twice', async () => {
    const world = new BotWorld();
    await world.start({
      onMessage: async (_message, { reply }) => {
        await reply('a', { key: 'k' });
        await reply('b', { key: 'k' });
      },
    });
    await world.say(new People().sms('x'));
    await world.settle();
    expect(world.setAside[0]?.attributes['bitbrat-error']).toMatch(/another answer has the same/);
  });

  it('is given up when it takes too long: its signal is aborted, and late answers are refused', async () => {
    const world = new BotWorld();
    const late: unknown[] = [];
    await world.start(
      {
        onMessage: (_message, { reply, signal }) =>
          new Promise(() => {
            signal.addEventListener(
              'abort',
              () => void reply('late').catch((error: unknown) => late.push(error)),
            );
          }),
      },
      { attempts: 1 },
    );
    await world.say(new People().sms('x'));
    await world.clock.advance(61_000);
    expect(late).toMatchObject([{ code: 'TOO_LATE' }]);
    expect(world.texts).toEqual([]);
    expect(world.setAside[0]?.attributes['bitbrat-error']).toBe('the handler took longer than 60000 ms');
  });
});

describe('a message that cannot be read', () => {
  it.each([
    ['no JSON', Buffer.from([0xff]), /not JSON/],
    ['another version', Buffer.from('{"v":"9"}'), /v: expected "1"/],
    ['no envelope', Buffer.from('{"v":"1"}'), /id/],
  ])('is set aside with its reason: %s', async (_what, data, reason) => {
    const world = new BotWorld();
    await world.start({ onMessage: ({ text }, { reply }) => reply(text) });
    await world.bus.publish(world.names.ingress, {
      data,
      attributes: { own: 'x', 'bitbrat-error': 'forged' },
    });
    await world.say(new People().sms('after'));
    await world.settle();
    expect(world.texts).toEqual(['after']);
    expect(world.setAside.map((letter) => Buffer.from(letter.data))).toEqual([data]);
    expect(world.setAside[0]?.attributes).toMatchObject({ own: 'x', 'bitbrat-error-code': 'UNREADABLE' });
    expect(world.setAside[0]?.attributes['bitbrat-error']).toMatch(reason);
  });
});

describe('stopping', () => {
  it('lets the handler end, and leaves what has not begun to the next process', async () => {
    const world = new BotWorld();
    const people = new People();
    const open: (() => void)[] = [];
    const onMessage = async (
      { text }: IngressEnvelope,
      { reply }: { reply: (text: string) => Promise<string> },
    ): Promise<void> => {
      if (open.length === 0) await new Promise<void>((resolve) => open.push(resolve));
      await reply(text);
    };
    const bot = await world.start({ onMessage });
    await world.say(people.sms('1'));
    await world.say(people.sms('2'));
    await world.settle();
    const stopped = bot.stop();
    await world.settle();
    expect(world.texts).toEqual([]);
    open[0]?.();
    await world.clock.advance(100);
    await stopped;
    expect(world.texts).toEqual(['1']);
    await world.start({ onMessage });
    await world.clock.advance(1_000);
    expect(world.texts).toEqual(['1', '2']);
  });

  it('is bounded: a handler that hangs is told by its signal and left', async () => {
    const world = new BotWorld();
    const reasons: unknown[] = [];
    const bot = await world.start({
      onMessage: (_message, { signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
        }),
    });
    await world.say(new People().sms('x'));
    await world.settle();
    const stopped = bot.stop();
    await world.clock.advance(4_000);
    expect(reasons).toEqual([]);
    await world.clock.advance(3_000);
    await stopped;
    expect(reasons).toMatchObject([{ code: 'STOPPED' }]);
    expect(world.setAside).toEqual([]);
  });

  it('begins no further attempt', async () => {
    const world = new BotWorld();
    let calls = 0;
    const bot = await world.start({
      onMessage: () => {
        calls += 1;
        throw new Error('no');
      },
    });
    await world.say(new People().sms('x'));
    await world.settle();
    const stopped = bot.stop();
    await world.clock.advance(100);
    await stopped;
    expect(calls).toBe(1);
    expect(world.setAside).toEqual([]);
  });
});

describe('outcomes', () => {
  it('reach the bot whose answers they are about', async () => {
    const world = new BotWorld();
    const outcomes: EgressOutcome[] = [];
    await world.start({ onMessage: () => undefined, onOutcome: (outcome) => void outcomes.push(outcome) });
    for (const eventId of ['reply:orders:twilio:1', 'reply:other:twilio:1', 'reply:twilio:1']) {
      const encoded = encodeOutcome(
        {
          v: '1',
          id: `${eventId}:sent`,
          type: 'chat.outcome.v1',
          eventId,
          correlationId: 'c',
          status: 'sent',
          target: { connector: 'twilio', destination: 'CH1' },
          platformMessageIds: ['IM1'],
          attempts: 1,
          occurredAt: '2026-01-01T00:00:00.000Z',
        },
        '/ingress-egress/test',
      );
      if (encoded.ok) await world.bus.publish(world.names.outcome, encoded.value);
    }
    await world.settle();
    expect(outcomes.map(({ eventId }) => eventId)).toEqual(['reply:orders:twilio:1']);
  });
});
