import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConnectorError, type SendOptions } from '@bitbrat/connectors-core';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { type RestRequest } from '../platform/discord-rest.js';
import { type CreateMessage, MessageSender, nonceOf } from './message-sender.js';
import { snowflakeAt } from '../platform/snowflake.js';

const CHANNEL = '1200000000000000003';

function setup(answer: (body: CreateMessage, call: number) => Promise<unknown>): {
  sender: MessageSender;
  bodies: CreateMessage[];
  clock: ManualClock;
  onFetch: (action: () => Promise<void>) => void;
} {
  let fetching = (): Promise<void> => Promise.resolve();
  const bodies: CreateMessage[] = [];
  const clock = new ManualClock();
  const request = ({ body }: RestRequest): Promise<unknown> => {
    const message = body as CreateMessage; // the sender makes no other request
    bodies.push(message);
    return answer(message, bodies.length);
  };
  const sender = new MessageSender({
    fetcher: { fetchAll: () => fetching().then(() => []) },
    allowedMentions: 'none',
    clock,
    random: () => 0.5,
    session: () => ({ request }),
  });
  const onFetch = (action: () => Promise<void>): void => {
    fetching = action;
  };
  return { sender, bodies, clock, onFetch };
}

const options = (fields: Partial<SendOptions> = {}): SendOptions => ({
  idempotencyKey: 'reply:discord:1',
  mayHaveBeenSent: false,
  ...fields,
});

describe('nonceOf', () => {
  it('is 25 characters that depend on event, channel and part', () => {
    const nonces = [
      nonceOf('a', CHANNEL, 0),
      nonceOf('a', CHANNEL, 1),
      nonceOf('b', CHANNEL, 0),
      nonceOf('a', '1200000000000000004', 0),
    ];
    expect(new Set(nonces).size).toBe(4);
    expect(nonces.every((nonce) => /^[\w-]{25}$/.test(nonce))).toBe(true);
    expect(nonceOf('a', CHANNEL, 0)).toBe(nonces[0]);
  });
});

describe('MessageSender', () => {
  it('answers with the first part alone, and gives each part its nonce', async () => {
    const { bodies, sender } = setup((_, call) => Promise.resolve({ id: `100${call}` }));
    const receipt = await sender.send(
      'word '.repeat(500),
      CHANNEL,
      options({ inReplyTo: '1307000000000000001' }),
    );
    expect(receipt).toEqual({ platformMessageIds: ['1001', '1002'], duplicate: false });
    expect(bodies.map(({ message_reference: reference }) => reference)).toEqual([
      { message_id: '1307000000000000001', fail_if_not_exists: false },
      undefined,
    ]);
    expect(bodies.map(({ enforce_nonce, nonce }) => [enforce_nonce, nonce])).toEqual([
      [true, nonceOf('reply:discord:1', CHANNEL, 0)],
      [true, nonceOf('reply:discord:1', CHANNEL, 1)],
    ]);
    expect(bodies[0]?.allowed_mentions).toEqual({ parse: [], replied_user: false });
  });

  it('begins no message after its time, however long its files take, and ends one that has begun', async () => {
    const world = setup((_, call) => Promise.resolve({ id: `100${call}` }));
    const expiresAt = world.clock.now() + 1_000;
    world.onFetch(() => world.clock.advance(999));
    await world.sender.send('word '.repeat(500), CHANNEL, options({ expiresAt }));
    expect(world.bodies).toHaveLength(2);
    world.onFetch(() => world.clock.advance(1));
    const late = world.sender.send('late', CHANNEL, options({ expiresAt, idempotencyKey: 'late' }));
    await expect(late).rejects.toMatchObject({ code: 'EXPIRED', ambiguous: false });
    expect(world.bodies).toHaveLength(2);
  });

  it('says that a message may exist which expires between two tries', async () => {
    const { bodies, clock, sender } = setup(() =>
      Promise.reject(Object.assign(new Error('bad gateway'), { status: 502 })),
    );
    const sending = sender.send('hi', CHANNEL, options({ expiresAt: clock.now() + 100 }));
    const failed = expect(sending).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', ambiguous: true });
    await clock.advance(10_000);
    await failed;
    expect(bodies).toHaveLength(1);
  });

  it.each([
    ['a rate limit', { status: 429, code: 40062 }, 5_000],
    ['a connection that is gone', { message: 'Expected token to be set' }, undefined],
  ])('says that a message may exist of the try before %s', async (_name, refusal, retryAfterMs) => {
    const faults = [{ status: 502 }, refusal];
    const { clock, sender } = setup((_, call) =>
      Promise.reject(Object.assign(new Error('no'), faults[call - 1])),
    );
    const failed = expect(sender.send('hi', CHANNEL, options())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      ambiguous: true,
      retryAfterMs,
    });
    await clock.advance(10_000);
    await failed;
  });

  it('tries three times with one nonce while Discord has faults of its own', async () => {
    const { bodies, clock, sender } = setup(() =>
      Promise.reject(Object.assign(new Error('bad gateway'), { status: 502 })),
    );
    const sending = sender.send('hi', CHANNEL, options());
    const failed = expect(sending).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', ambiguous: true });
    await clock.advance(10_000);
    await failed;
    expect(new Set(bodies.map(({ nonce }) => nonce)).size).toBe(1);
    expect(bodies).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it('names the parts that were accepted before the error', async () => {
    const { sender } = setup((_, call) =>
      call === 1
        ? Promise.resolve({ id: '1001' })
        : Promise.reject(Object.assign(new Error('no'), { status: 403, code: 50013 })),
    );
    const sending = sender.send('word '.repeat(500), CHANNEL, options());
    await expect(sending).rejects.toMatchObject({ code: 'FORBIDDEN', sentMessageIds: ['1001'] });
  });

  it.each([
    ['an earlier message is a duplicate', true, -60_000, true],
    ['a new message is none', true, 100, false],
    ['without a doubt nothing is one', false, -60_000, false],
  ])('%s', async (_name, mayHaveBeenSent, ageMs, duplicate) => {
    const id = snowflakeAt(new ManualClock().now() + ageMs);
    const { sender } = setup(() => Promise.resolve({ id }));
    const receipt = await sender.send('hi', CHANNEL, options({ mayHaveBeenSent }));
    expect(receipt).toEqual({ platformMessageIds: [id], duplicate });
  });

  it('asks nobody about what it has sent itself', async () => {
    const { bodies, sender } = setup(() => Promise.resolve({ id: '1001' }));
    await sender.send('hi', CHANNEL, options());
    await expect(sender.send('hi', CHANNEL, options())).resolves.toEqual({
      platformMessageIds: ['1001'],
      duplicate: true,
    });
    expect(bodies).toHaveLength(1);
  });

  it('rejects soon when the caller gives up, and keeps the order of what follows', async () => {
    const answers: (() => void)[] = [];
    const { bodies, sender } = setup(
      (_, call) =>
        new Promise((resolve) =>
          answers.push(() => {
            resolve({ id: `100${call}` });
          }),
        ),
    );
    const abort = new AbortController();
    const first = sender.send('one', CHANNEL, options({ signal: abort.signal }));
    const second = sender.send('two', CHANNEL, options({ idempotencyKey: 'two' }));
    await settle();
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(bodies.map(({ content }) => content)).toEqual(['one']);
    answers[0]?.();
    await settle();
    answers[1]?.();
    await second;
    expect(bodies.map(({ content }) => content)).toEqual(['one', 'two']);
  });

  it('ends all that is under way', async () => {
    const { clock, sender } = setup(() => new Promise(() => undefined));
    const sending = sender.send('one', CHANNEL, options());
    await settle();
    sender.abortAll();
    await expect(sending).rejects.toBeInstanceOf(ConnectorError);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps nothing of a request that is over, though the SDK leaves its listener on the signal', async () => {
    const signals: WeakRef<AbortSignal>[] = [];
    const request = ({ signal }: RestRequest): Promise<unknown> => {
      signal?.addEventListener('abort', () => undefined);
      if (signal !== undefined) signals.push(new WeakRef(signal));
      return Promise.resolve({ id: '1001' });
    };
    const sender = new MessageSender({
      fetcher: { fetchAll: () => Promise.resolve([]) },
      allowedMentions: 'none',
      clock: new ManualClock(),
      random: () => 0.5,
      session: () => ({ request }),
    });
    await sender.send('hello', CHANNEL, options());
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(signals.map((signal) => signal.deref())).toEqual([undefined]);
  });
});

/** All that nobody can reach any more. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}
