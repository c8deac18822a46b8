import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { DiscordRest, type RestOptions } from './discord-rest.js';

/** As the SDK refuses what would wait for too long. */
class RateLimitError extends Error {
  readonly timeToReset = 600_000;
  readonly retryAfter = 600_000;
}

function create(ask: () => Promise<unknown>): { readonly rest: DiscordRest; readonly clock: ManualClock } {
  const clock = new ManualClock();
  const api = { get: ask, post: ask, setToken: () => undefined, handlers: new Map(), globalReset: 0 };
  const rest = new DiscordRest({
    api: api as unknown as RestOptions['api'], // the part that a request uses
    leaveBefore: (_, work) => work(),
    token: 'token',
    clock,
    logger: new RecordingLogger(),
    onTokenRefused: () => undefined,
  });
  return { rest, clock };
}

const REQUEST = { method: 'POST', path: '/channels/1/messages' } as const;

describe('a request that a rate limit has refused', () => {
  it('is repeated where the clock was set while it waited, and so are the others', async () => {
    let refuse: (error: Error) => void = () => undefined;
    const turn = new Promise((_, reject) => (refuse = reject));
    const answers = [turn, turn, Promise.resolve('sent'), Promise.resolve('sent')];
    const { clock, rest } = create(() => answers.shift() ?? Promise.reject(new Error('once too often')));
    const waiting = [rest.request(REQUEST, 'send'), rest.request(REQUEST, 'send')];
    clock.set(-600_000);
    refuse(new RateLimitError());
    await expect(Promise.all(waiting)).resolves.toEqual(['sent', 'sent']);
  });

  it('is refused where the clock was not set', async () => {
    const { clock, rest } = create(() => Promise.reject(new RateLimitError()));
    await clock.advance(3_600_000);
    await expect(rest.request(REQUEST, 'send')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 600_000,
    });
  });
});

describe('a page of the history', () => {
  const wire = (id: string) => ({
    id,
    channel_id: '3',
    author: { id: '11', username: 'ada' },
    content: `message ${id}`,
    timestamp: '2026-11-20T00:00:00.000Z',
    type: 0,
  });
  const read = (answer: unknown) =>
    create(() => Promise.resolve(answer)).rest.history('3', '100', 100, undefined);

  it('is ordered, and counts what cannot be read', async () => {
    const page = await read([{ ...wire('103'), author: null }, wire('102'), { id: null }, wire('101')]);
    expect(page.messages.map(({ id }) => id)).toEqual(['101', '102']);
    expect([page.count, page.lastId]).toEqual([4, '103']);
  });

  it('may be empty', async () => {
    expect(await read([])).toEqual({ messages: [], count: 0, lastId: undefined });
  });

  it.each([
    ['no list', {}],
    ['a list without an id', [{}]],
  ] as const)('does not count as the last one where the answer is %s', async (_name, answer) => {
    await expect(read(answer)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });
});
