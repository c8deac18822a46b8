import { ManualClock } from '@bitbrat/foundation/testing';
import {
  ConversationCursor,
  type CursorMessage,
  type DrainableConversation,
  PAGE_SIZE,
  type PassedOver,
} from './conversation-cursor.js';

const NOW = Date.UTC(2026, 10, 20);
const HOUR = 3_600_000;

interface TestMessage extends CursorMessage {
  readonly text: string;
}

const message = (index: number, ageHours = 0): TestMessage => ({
  index,
  text: `m${index}`,
  dateCreated: new Date(NOW - ageHours * HOUR),
});

/** A conversation as the SDK shows it: what stands on the server, and a cache that may answer instead. */
class ScriptedConversation implements DrainableConversation<TestMessage> {
  readonly sid = 'CH1';
  readonly reads: { readonly anchor: number | undefined; readonly direction: string | undefined }[] = [];
  readonly horizons: number[] = [];
  /** What the SDK has in memory: asked for a cached index, it looks nowhere else. */
  readonly cached = new Map<number, TestMessage | 'deleted'>();
  refuseHorizon = 0;
  refusal: Error = new Error('429');

  constructor(
    readonly server: TestMessage[],
    readonly lastReadMessageIndex: number | null = null,
  ) {}

  get lastMessage(): { index: number } | undefined {
    const last = this.server.at(-1);
    return last === undefined ? undefined : { index: last.index };
  }

  getMessages(
    pageSize: number,
    anchor?: number,
    direction?: 'backwards' | 'forward',
  ): Promise<{ items: TestMessage[] }> {
    this.reads.push({ anchor, direction });
    const from = anchor ?? 0;
    const source = this.cached.has(from) ? this.#cachedMessages() : this.server;
    const items =
      direction === 'backwards'
        ? source.filter(({ index }) => index <= from).slice(-pageSize)
        : source.filter(({ index }) => index >= from).slice(0, pageSize);
    return Promise.resolve({ items });
  }

  advanceLastReadMessageIndex(index: number): Promise<number> {
    if (this.refuseHorizon-- > 0) return Promise.reject(this.refusal);
    this.horizons.push(index);
    return Promise.resolve(0);
  }

  #cachedMessages(): TestMessage[] {
    return [...this.cached.values()].flatMap((entry) => (entry === 'deleted' ? [] : [entry]));
  }
}

function cursorOver(takenUntil?: number): {
  clock: ManualClock;
  cursor: ConversationCursor<TestMessage>;
  taken: string[];
  refuse: Set<string>;
  passedOver: PassedOver[];
  /** Codes of the refusals of the horizon that were reported, and `moved`. */
  horizons: string[];
} {
  const clock = new ManualClock(NOW);
  const taken: string[] = [];
  const refuse = new Set<string>();
  const passedOver: PassedOver[] = [];
  const horizons: string[] = [];
  const cursor = new ConversationCursor<TestMessage>({
    clock,
    takenUntil,
    oldest: () => Promise.resolve(NOW - 24 * HOUR),
    onPassedOver: (span) => passedOver.push(span),
    onHorizonRefused: ({ code }) => horizons.push(code),
    onHorizonMoved: () => horizons.push('moved'),
    take: (messages) =>
      Promise.allSettled(
        messages.map(({ text }) => {
          if (refuse.has(text)) return Promise.reject(new Error(`${text} refused`));
          taken.push(text);
          return Promise.resolve();
        }),
      ),
  });
  return { clock, cursor, taken, refuse, passedOver, horizons };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const live = new AbortController().signal;

describe('ConversationCursor', () => {
  it('reads everything from the start where nothing was read, page by page', async () => {
    const conversation = new ScriptedConversation(range(0, 2 * PAGE_SIZE).map((index) => message(index)));
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(range(0, 2 * PAGE_SIZE).map((index) => `m${index}`));
    expect(conversation.horizons).toEqual([PAGE_SIZE - 1, 2 * PAGE_SIZE - 1, 2 * PAGE_SIZE]);
  });

  it('goes on behind the horizon and leaves it alone where there is nothing new', async () => {
    const conversation = new ScriptedConversation(
      range(0, 5).map((index) => message(index)),
      3,
    );
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    await cursor.drain(conversation, live);
    expect(taken).toEqual(['m4', 'm5']);
    expect(conversation.horizons).toEqual([5]);
  });

  it('reads old messages behind a horizon: the bound is for first meetings only', async () => {
    const conversation = new ScriptedConversation([message(0, 99), message(1, 98)], 0);
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(['m1']);
  });

  it('passes over what is older than the bound, and moves the horizon past it', async () => {
    const conversation = new ScriptedConversation([message(0, 30), message(1, 25), message(2, 1)]);
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(['m2']);
    expect(conversation.horizons).toEqual([2]);
  });

  it('walks back from the end of a long history instead of reading it all', async () => {
    const old = range(0, 4_999).map((index) => message(index, 100));
    const recent = range(5_000, 5_119).map((index) => message(index, 1));
    const conversation = new ScriptedConversation([...old, ...recent]);
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(recent.map(({ text }) => text));
    expect(conversation.reads.length).toBeLessThan(10);
  });

  it('moves the horizon even where everything is too old', async () => {
    const conversation = new ScriptedConversation(range(0, 99).map((index) => message(index, 100)));
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual([]);
    expect(conversation.horizons).toEqual([99]);
  });

  it.each([
    ['gaps of deleted messages', [0, 1, 4, 7, 8], [0, 1, 4, 7, 8]],
    ['a deleted beginning', [3, 4], [3, 4]],
    ['nothing', [], []],
  ])('reads past %s', async (_, server, expected) => {
    const conversation = new ScriptedConversation(server.map((index) => message(index)));
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(expected.map((index) => `m${index}`));
  });

  it('believes a cached answer up to its first hole only', async () => {
    const conversation = new ScriptedConversation(
      range(0, 6).map((index) => message(index)),
      1,
    );
    for (const index of [2, 6]) conversation.cached.set(index, message(index));
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(['m2', 'm3', 'm4', 'm5', 'm6']);
  });

  it('asks the server where the next message is known to be deleted and the cache lacks what follows', async () => {
    const server = [0, 1, 3, 4, 5].map((index) => message(index));
    const conversation = new ScriptedConversation(server, 1);
    conversation.cached.set(2, 'deleted');
    conversation.cached.set(5, message(5));
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, live);
    expect(taken).toEqual(['m3', 'm4', 'm5']);
  });

  it('stops the horizon before a refused message and goes on there the next time', async () => {
    const conversation = new ScriptedConversation(range(0, 3).map((index) => message(index)));
    const { cursor, refuse, taken } = cursorOver();
    refuse.add('m2');
    await expect(cursor.drain(conversation, live)).rejects.toThrow('m2 refused');
    expect(conversation.horizons).toEqual([1]);
    refuse.clear();
    await cursor.drain(conversation, live);
    expect([...new Set(taken)].sort()).toEqual(['m0', 'm1', 'm2', 'm3']);
    expect(conversation.horizons).toEqual([1, 3]);
  });

  it('does not move the horizon at all where the first message is refused', async () => {
    const conversation = new ScriptedConversation([message(0)]);
    const { cursor, refuse } = cursorOver();
    refuse.add('m0');
    await expect(cursor.drain(conversation, live)).rejects.toThrow('m0 refused');
    expect(conversation.horizons).toEqual([]);
  });

  it('reads on where the horizon cannot be moved, and moves it later', async () => {
    const conversation = new ScriptedConversation(range(0, PAGE_SIZE).map((index) => message(index)));
    conversation.refuseHorizon = 2;
    const { cursor, taken } = cursorOver();
    await expect(cursor.drain(conversation, live)).rejects.toThrow('429');
    expect(taken).toHaveLength(PAGE_SIZE + 1);
    await cursor.drain(conversation, live);
    expect(taken).toHaveLength(PAGE_SIZE + 1);
    expect(conversation.horizons).toEqual([PAGE_SIZE]);
  });

  it('reads nothing once it is told to stop', async () => {
    const conversation = new ScriptedConversation([message(0)], -1);
    const { cursor, taken } = cursorOver();
    await cursor.drain(conversation, AbortSignal.abort());
    expect(taken).toEqual([]);
  });

  it('counts what it passes over, wherever it stands', async () => {
    const few = cursorOver();
    await few.cursor.drain(new ScriptedConversation([message(0, 30), message(1, 25), message(2, 1)]), live);
    expect(few.passedOver).toEqual([{ count: 2, from: NOW - 30 * HOUR, to: NOW - 25 * HOUR }]);
    const many = cursorOver();
    const old = range(0, 999).map((index) => message(index, 2_000 - index));
    await many.cursor.drain(
      new ScriptedConversation([...old, ...range(1_000, 1_119).map((i) => message(i, 1))]),
      live,
    );
    const counted = many.passedOver.reduce((sum, { count }) => sum + count, 0);
    expect([counted, many.taken.length]).toEqual([1_000, 120]);
  });

  it('takes a message of any date that is brought in once the conversation was read', async () => {
    const conversation = new ScriptedConversation([message(0)]);
    const { cursor, passedOver, taken } = cursorOver();
    await cursor.drain(conversation, live);
    conversation.server.push(message(1, 9_999));
    await cursor.drain(conversation, live);
    expect([taken, passedOver]).toEqual([['m0', 'm1'], []]);
  });

  it('goes on behind what this process has taken before, where the horizon tells less', async () => {
    const conversation = new ScriptedConversation(range(0, 3).map((index) => message(index)));
    const { cursor, taken } = cursorOver(1);
    await cursor.drain(conversation, live);
    expect([taken, conversation.horizons]).toEqual([['m2', 'm3'], [3]]);
  });

  it.each([
    ['403', { status: 403, message: 'x' }],
    ['403/50400', { status: 403, message: 'x', body: { code: 50400 } }],
    ['404', { status: 404, message: 'x' }],
    ['400/50377', { status: 400, message: 'x', body: { code: 50377 } }],
    ['a status that no table lists', { status: 499, message: 'x' }],
    ['500', { status: 500, message: 'x' }],
    ['an exception', new TypeError('x')],
  ])('reads on and takes nothing twice where the horizon is refused for ever with %s', async (_, refusal) => {
    const conversation = new ScriptedConversation([message(0)]);
    Object.assign(conversation, { refusal, refuseHorizon: Infinity });
    const { clock, cursor, horizons, taken } = cursorOver();
    for (let index = 1; index <= 20; index += 1) {
      await cursor.drain(conversation, live).catch(() => undefined);
      conversation.server.push(message(index));
    }
    await cursor.drain(conversation, live);
    expect(taken).toEqual(range(0, 20).map((index) => `m${index}`));
    expect(horizons).toHaveLength(1);
    conversation.refuseHorizon = 0;
    await clock.advance(15 * 60_000);
    await cursor.drain(conversation, live);
    expect([conversation.horizons, horizons.at(-1)]).toEqual([[20], 'moved']);
  });
});
