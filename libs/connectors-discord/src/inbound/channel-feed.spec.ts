import { ConnectorError, type IngressGap } from '@bitbrat/connectors-core';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { ChannelFeed } from './channel-feed.js';
import { type HistoryPage } from '../platform/discord-rest.js';
import { type ChannelFacts, type FeedOptions } from './feed-contract.js';
import { FeedRoom } from './feed-room.js';
import { type ChannelEvent } from './message-intake.js';
import { type NativeMessage } from '../platform/native-message.js';
import { compareSnowflakes, snowflakeAt } from '../platform/snowflake.js';

const START = Date.UTC(2026, 10, 20);
const never = new AbortController().signal;

/** The id of the message that is written `n` seconds after the start. */
const at = (n: number): string => String(BigInt(snowflakeAt(START + n * 1000)) + 1n);

const message = (n: number): NativeMessage => ({
  id: at(n),
  channelId: '3',
  guildId: '2',
  author: { id: '11', username: 'ada', isBot: false },
  content: `message ${n}`,
  timestamp: new Date(START + n * 1000).toISOString(),
  type: 0,
  mentions: [],
  attachments: [],
  stickers: [],
  hasExtras: false,
  isForward: false,
});

const created = (n: number): ChannelEvent => ({ kind: 'created', message: message(n) });

/** A channel on a platform with a history, and a bus that can refuse. */
class Bench {
  readonly clock = new ManualClock(START);
  readonly logger = new RecordingLogger();
  /** What the platform keeps. */
  readonly stored: NativeMessage[] = [];
  readonly requests: string[] = [];
  readonly taken: string[] = [];
  readonly saved: string[] = [];
  readonly gaps: IngressGap[] = [];
  /** Codes of the refusals since the history was last read. */
  readonly problems: string[] = [];
  /** Says that the bus has the gaps. */
  readonly gapsTold: (() => void)[] = [];
  /** Stored messages that cannot be read. */
  readonly unreadable = new Set<string>();
  wakes = 0;
  refusals = 0;
  /** Runs while a page is on its way. */
  duringRequest: () => void = () => undefined;
  historyError: Error | undefined;
  readonly feed: ChannelFeed;

  constructor(options: Partial<FeedOptions> & { cursor?: string; facts?: Partial<ChannelFacts> } = {}) {
    const { cursor, facts, ...overrides } = options;
    this.feed = new ChannelFeed({
      channelId: '3',
      resolve: () => Promise.resolve({ id: '3', kind: 'channel', guildId: '2', readable: true, ...facts }),
      isWanted: () => true,
      baseline: () => Promise.resolve(at(0)),
      loadCursor: () => Promise.resolve(cursor),
      saveCursor: (id) => this.saved.push(id),
      history: (after, limit) => this.#history(after, limit),
      take: (event) => this.#take(event),
      room: new FeedRoom(),
      onBehind: () => (this.wakes += 1),
      onGap: (gap, onTold) => {
        this.gaps.push(gap);
        this.gapsTold.push(onTold);
      },
      onRefused: (error) => this.problems.push(error.code),
      onRead: () => (this.problems.length = 0),
      historyHours: 24,
      clock: this.clock,
      logger: this.logger,
      ...overrides,
    });
  }

  store(...numbers: number[]): void {
    this.stored.push(...numbers.map(message));
  }

  tellGaps(): void {
    for (const told of this.gapsTold.splice(0)) told();
  }

  #history(after: string, limit: number): Promise<HistoryPage> {
    this.requests.push(after);
    if (this.historyError !== undefined) return Promise.reject(this.historyError);
    const page = this.stored.filter(({ id }) => compareSnowflakes(id, after) > 0).slice(0, limit);
    this.duringRequest();
    const messages = page.filter(({ id }) => !this.unreadable.has(id));
    return Promise.resolve({ messages, count: page.length, lastId: page.at(-1)?.id });
  }

  #take(event: ChannelEvent): Promise<void> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new Error('the bus refuses'));
    }
    const label = event.kind === 'deleted' ? 'deletion' : event.message.content;
    if (event.kind !== 'created' || !this.taken.includes(label))
      this.taken.push(event.kind === 'edited' ? `${label}, edited` : label);
    return Promise.resolve();
  }
}

describe('ChannelFeed', () => {
  it('reads nothing where nobody has written since the first sight', async () => {
    const bench = new Bench();
    bench.feed.refresh(at(-5));
    await bench.feed.drain(never);
    expect(bench.feed.isBehind).toBe(false);
    expect(bench.requests).toEqual([]);
  });

  it('reads from the cursor, page by page, then goes live', async () => {
    const bench = new Bench({ cursor: at(10) });
    bench.store(...Array.from({ length: 260 }, (_, i) => i + 1));
    bench.feed.refresh(at(260));
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(Array.from({ length: 250 }, (_, i) => `message ${i + 11}`));
    expect(bench.requests).toEqual([at(10), at(110), at(210)]);
    expect(bench.saved.at(-1)).toBe(at(260));
    bench.feed.offer(created(261));
    await settle();
    expect(bench.saved.at(-1)).toBe(at(261));
  });

  it('reads a channel without a cursor from the first sight on', async () => {
    const bench = new Bench();
    bench.store(-10, 5);
    bench.feed.refresh(at(5));
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 5']);
  });

  it('joins both roads in order, each message once', async () => {
    const bench = new Bench({ cursor: at(0) });
    bench.store(1, 2, 3);
    bench.feed.refresh(at(3));
    bench.feed.offer(created(3));
    bench.duringRequest = () => {
      bench.feed.offer(created(4));
      bench.feed.offer({ kind: 'edited', message: message(1) });
    };
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 1', 'message 2', 'message 3', 'message 4', 'message 1, edited']);
    expect(bench.saved.at(-1)).toBe(at(4));
  });

  it('reads again where a session begins while it reads', async () => {
    const bench = new Bench({ cursor: at(0) });
    bench.store(1);
    bench.feed.refresh(at(1));
    bench.duringRequest = () => {
      bench.duringRequest = () => undefined;
      bench.store(2);
      bench.feed.refresh(at(2));
    };
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 1', 'message 2']);
  });

  it('reads again what the bus refused, and saves nothing past it before', async () => {
    const bench = new Bench();
    bench.feed.refresh('0');
    await bench.feed.drain(never);
    bench.refusals = 1;
    bench.store(1, 2);
    bench.feed.offer(created(1));
    bench.feed.offer(created(2));
    await settle();
    expect(bench.feed.isBehind).toBe(true);
    expect(bench.saved).toEqual([]);
    await bench.feed.drain(never);
    expect(bench.taken.toSorted()).toEqual(['message 1', 'message 2']);
    expect(bench.saved.at(-1)).toBe(at(2));
  });

  it('fails where the bus refuses what was read, and goes on where it was', async () => {
    const bench = new Bench();
    bench.store(1, 2);
    bench.feed.refresh(at(2));
    bench.refusals = 2;
    await expect(bench.feed.drain(never)).rejects.toThrow('refuses');
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 1', 'message 2']);
  });

  it('publishes an edit that the bus refused later', async () => {
    const bench = new Bench();
    await bench.feed.drain(never);
    bench.refusals = 1;
    bench.feed.offer({ kind: 'edited', message: message(1) });
    await settle();
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 1, edited']);
  });

  it('reads the history again where more came than may wait', async () => {
    const bench = new Bench();
    bench.feed.refresh('0');
    for (let n = 1; n <= 1_200; n += 1) {
      bench.store(n);
      bench.feed.offer(created(n));
    }
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(Array.from({ length: 1_200 }, (_, i) => `message ${i + 1}`));
  });

  it('loses nothing of a new direct channel where more came than may wait, or the bus refuses', async () => {
    const bench = new Bench({ baseline: () => Promise.resolve(undefined) });
    for (let n = 1; n <= 1_100; n += 1) {
      bench.store(n);
      bench.feed.offer(created(n));
    }
    bench.refusals = 1;
    await expect(bench.feed.drain(never)).rejects.toThrow('refuses');
    await bench.feed.drain(never);
    // What was refused comes behind what was on its way beside it.
    expect(new Set(bench.taken)).toEqual(
      new Set(Array.from({ length: 1_100 }, (_, i) => `message ${i + 1}`)),
    );
  });

  it('falls behind where all channels together have enough on its way to the bus', async () => {
    const room = new FeedRoom();
    const bench = new Bench({ room });
    await bench.feed.drain(never);
    for (let i = 0; i < 2_000; i += 1) room.depart();
    bench.store(1, 2);
    bench.feed.offer(created(1));
    bench.feed.offer(created(2));
    expect([bench.feed.isBehind, bench.taken]).toEqual([true, []]);
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 1', 'message 2']);
  });

  it('leaves to the history what waits where all channels together hold too much, and keeps what no history brings back', async () => {
    const room = new FeedRoom();
    const bench = new Bench({ room });
    const waiting = 5_000;
    for (let i = 0; i < waiting; i += 1) room.wait();
    bench.store(1, 2, 3);
    for (const n of [1, 2, 3]) bench.feed.offer(created(n));
    bench.feed.offer({ kind: 'edited', message: message(1) });
    bench.feed.refresh(at(3));
    await bench.feed.drain(never);
    expect(bench.requests).not.toEqual([]);
    expect(bench.taken).toEqual(['message 1', 'message 2', 'message 3', 'message 1, edited']);
    room.leave(waiting);
    expect([room.isOverfull, room.hasRoom]).toEqual([false, true]);
  });

  it('frees the room of a channel that is no more', () => {
    const room = new FeedRoom();
    const bench = new Bench({ room });
    for (let n = 0; n < 5_000; n += 1) room.wait();
    bench.feed.offer({ kind: 'edited', message: message(1) });
    expect(room.isOverfull).toBe(true);
    bench.feed.discard();
    expect(room.isOverfull).toBe(false);
  });

  it('waits for a cursor store that cannot be reached', async () => {
    let isDown = true;
    const loadCursor = (): Promise<string> =>
      isDown ? Promise.reject(new Error('down')) : Promise.resolve(at(1));
    const bench = new Bench({ loadCursor });
    bench.store(1, 2);
    bench.feed.refresh(at(2));
    await expect(bench.feed.drain(never)).rejects.toThrow('down');
    bench.feed.offer(created(3));
    expect(bench.taken).toEqual([]);
    isDown = false;
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 2', 'message 3']);
  });

  it('reads on behind a page that has a message which cannot be read, and does not ask for it again', async () => {
    const bench = new Bench({ cursor: at(0) });
    bench.store(...Array.from({ length: 151 }, (_, i) => i + 1));
    for (const n of [50, 100, 151]) bench.unreadable.add(at(n));
    bench.feed.refresh(at(151));
    await bench.feed.drain(never);
    expect(bench.taken).toHaveLength(148);
    expect(bench.taken.at(-1)).toBe('message 150');
    expect(bench.requests).toEqual([at(0), at(100)]);
    expect(bench.saved.at(-1)).toBe(at(151));
  });

  it('reads from its cursor where the baseline was made by a clock that was ahead', async () => {
    const bench = new Bench({ cursor: at(10), baseline: () => Promise.resolve(at(600)) });
    bench.store(5, 10, 20, 30);
    bench.feed.refresh(at(30));
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 20', 'message 30']);
  });

  it('reads a refused message again though the baseline was made by a clock that was ahead', async () => {
    const bench = new Bench({ baseline: () => Promise.resolve(at(600)) });
    bench.feed.refresh('0');
    await bench.feed.drain(never);
    bench.refusals = 1;
    bench.store(1);
    bench.feed.offer(created(1));
    await settle();
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 1']);
  });

  it('reads what gave way before the first look at a channel, though the baseline was made by a clock that was ahead', async () => {
    const bench = new Bench({ baseline: () => Promise.resolve(at(6_000)) });
    for (let n = 1; n <= 1_100; n += 1) {
      bench.store(n);
      bench.feed.offer(created(n));
    }
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(Array.from({ length: 1_100 }, (_, i) => `message ${i + 1}`));
  });

  it('loses nothing that gave way where the history cannot be read at first', async () => {
    const bench = new Bench();
    bench.feed.refresh('0');
    for (let n = 1; n <= 1_200; n += 1) {
      bench.store(n);
      bench.feed.offer(created(n));
    }
    bench.historyError = new ConnectorError('UPSTREAM_UNAVAILABLE', 'down');
    await expect(bench.feed.drain(never)).rejects.toThrow('down');
    bench.historyError = undefined;
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(Array.from({ length: 1_200 }, (_, i) => `message ${i + 1}`));
  });

  it('tells what the bound leaves out', async () => {
    const bench = new Bench({ cursor: at(10) });
    await bench.clock.advance(48 * 3_600_000);
    bench.store(20, 47 * 3_600);
    bench.feed.refresh(at(47 * 3_600));
    await bench.feed.drain(never);
    expect(bench.taken).toEqual([`message ${47 * 3_600}`]);
    expect(bench.gaps).toMatchObject([{ from: '2026-11-20T00:00:10.000Z', to: '2026-11-21T00:00:00.000Z' }]);
  });

  it('saves no cursor past what the bound leaves out before the bus has the gap, which it tells once', async () => {
    const bench = new Bench({ cursor: at(10) });
    await bench.clock.advance(48 * 3_600_000);
    bench.store(20, 47 * 3_600);
    bench.feed.refresh(at(47 * 3_600));
    bench.refusals = 1;
    await expect(bench.feed.drain(never)).rejects.toThrow('refuses');
    await bench.feed.drain(never);
    bench.feed.offer(created(47 * 3_600 + 1));
    await settle();
    expect([bench.taken.length, bench.gaps.length, bench.saved]).toEqual([2, 1, []]);
    bench.tellGaps();
    expect(bench.saved).toEqual([at(47 * 3_600 + 1)]);
  });

  it('saves the bound where nothing younger stands behind it', async () => {
    const bench = new Bench({ cursor: at(10) });
    await bench.clock.advance(48 * 3_600_000);
    bench.store(20);
    bench.feed.refresh(at(20));
    await bench.feed.drain(never);
    expect(bench.saved).toEqual([]);
    bench.tellGaps();
    expect(bench.saved).toEqual([snowflakeAt(START + 24 * 3_600_000)]);
  });

  it('tells no gap where nobody has written for longer than the bound', async () => {
    const bench = new Bench({ cursor: at(10) });
    await bench.clock.advance(48 * 3_600_000);
    bench.feed.refresh(undefined);
    await bench.feed.drain(never);
    expect(bench.gaps).toEqual([]);
    expect(bench.feed.isBehind).toBe(false);
  });

  it.each([
    ['FORBIDDEN', 1],
    ['TARGET_NOT_FOUND', 0],
  ] as const)('goes live where the history is %s', async (code, gaps) => {
    const bench = new Bench();
    bench.historyError = new ConnectorError(code, 'no');
    bench.feed.refresh(at(2));
    bench.feed.offer(created(3));
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 3']);
    expect(bench.gaps).toHaveLength(gaps);
  });

  it('asks for no history that it may not read', async () => {
    const bench = new Bench({ facts: { readable: false } });
    bench.feed.refresh(at(2));
    bench.feed.offer(created(3));
    bench.refusals = 1;
    await expect(bench.feed.drain(never)).rejects.toThrow('refuses');
    await bench.feed.drain(never);
    expect(bench.taken).toEqual(['message 3']);
    expect(bench.requests).toEqual([]);
  });

  it('tells once what was missed of a channel whose history it may not read, and goes on behind it', async () => {
    const bench = new Bench({ cursor: at(1), facts: { readable: false } });
    bench.feed.refresh(at(2));
    bench.feed.offer(created(3));
    await bench.clock.advance(5_000);
    await bench.feed.drain(never);
    bench.feed.refresh(at(3));
    await bench.feed.drain(never);
    expect(bench.gaps).toMatchObject([{ from: '2026-11-20T00:00:01.000Z', to: '2026-11-20T00:00:05.000Z' }]);
    expect(bench.saved).toEqual([]);
    bench.tellGaps();
    expect(bench.saved).toEqual([at(3)]);
  });

  it('saves the last message of a channel whose history it may not read as read when the bus has the gap', async () => {
    const bench = new Bench({ cursor: at(1), facts: { readable: false } });
    bench.feed.refresh(at(2));
    await bench.feed.drain(never);
    bench.tellGaps();
    expect(bench.saved).toEqual([at(2)]);
  });

  it('saves nothing past what waits, though Discord names it as the last message', async () => {
    const bench = new Bench({ cursor: at(1), facts: { readable: false } });
    bench.feed.offer(created(3));
    bench.feed.offer(created(4));
    bench.feed.refresh(at(4));
    bench.refusals = 2;
    await expect(bench.feed.drain(never)).rejects.toThrow('refuses');
    await settle();
    bench.tellGaps();
    expect(bench.saved.filter((id) => compareSnowflakes(id, at(3)) >= 0)).toEqual([]);
  });

  it.each([
    ['nobody has written since', at(1)],
    ['Discord does not tell its last message', undefined],
  ])('tells no gap of a channel whose history it may not read where %s', async (_name, newest) => {
    const bench = new Bench({ cursor: at(1), facts: { readable: false } });
    bench.feed.refresh(newest);
    await bench.feed.drain(never);
    bench.refusals = 1;
    bench.feed.offer(created(2));
    await settle();
    await bench.feed.drain(never);
    expect([bench.gaps, bench.taken]).toEqual([[], ['message 2']]);
  });

  it('tells what its bounded list has forced out where no history brings it back', async () => {
    const bench = new Bench({ cursor: at(0), facts: { readable: false } });
    bench.feed.refresh(at(0));
    await bench.feed.drain(never);
    bench.feed.refresh(undefined);
    for (let n = 1; n <= 1_100; n += 1) bench.feed.offer(created(n));
    await bench.feed.drain(never);
    expect(bench.taken).toHaveLength(1_000);
    expect(bench.gaps).toMatchObject([{ from: '2026-11-20T00:00:00.000Z' }]);
    await bench.feed.drain(never);
    bench.feed.refresh(at(1_100));
    await bench.feed.drain(never);
    expect(bench.gaps).toHaveLength(1);
  });

  it('takes nothing of a channel that is not wanted', async () => {
    const bench = new Bench({ isWanted: () => false });
    bench.feed.offer(created(1));
    await bench.feed.drain(never);
    bench.feed.offer(created(2));
    bench.feed.refresh(undefined);
    expect(bench.taken).toEqual([]);
    expect(bench.wakes).toBe(1);
  });

  it('takes nothing more once it is stopped', async () => {
    const stop = new AbortController();
    const bench = new Bench();
    bench.store(1);
    bench.feed.refresh(at(1));
    bench.duringRequest = () => {
      stop.abort();
    };
    await bench.feed.drain(stop.signal);
    expect(bench.taken).toEqual([]);
    expect(bench.feed.isBehind).toBe(true);
  });
});
