import { ConnectorError } from '@bitbrat/connectors-core';
import { ManualClock, RecordingLogger } from '@bitbrat/connectors-testing';
import { ConversationReconciler } from './conversation-reconciler.js';
import { type RestConversation } from './twilio-rest.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-20T12:00:00Z');

const conversation = (sid: string, ageMs: number, state = 'active'): RestConversation => ({
  sid,
  state,
  date_created: new Date(NOW - ageMs).toISOString(),
});

function create(pages: (readonly RestConversation[])[]): {
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
  /** Times, in hours before now, from which lists were asked for. */
  readonly since: number[];
  /** SIDs of all calls to join. */
  readonly joins: string[];
  readonly woken: string[];
  readonly pagesRead: { count: number };
  /** What a join of a SID rejects with. */
  readonly failures: Map<string, ConnectorError>;
  readonly present: Set<string>;
  readonly pass: (signal?: AbortSignal) => Promise<void>;
} {
  const clock = new ManualClock(NOW);
  const logger = new RecordingLogger();
  const since: number[] = [];
  const joins: string[] = [];
  const woken: string[] = [];
  const pagesRead = { count: 0 };
  const failures = new Map<string, ConnectorError>();
  const present = new Set<string>();
  const reconciler = new ConversationReconciler({
    rest: {
      conversationsSince: async function* (from) {
        since.push((NOW - from) / HOUR);
        for (const page of pages) {
          pagesRead.count += 1;
          yield await Promise.resolve([...page]);
        }
      },
    },
    join: (sid) => {
      joins.push(sid);
      const failure = failures.get(sid);
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
    historyMs: 24 * HOUR,
    clock,
    logger,
  });
  const pass = (signal = new AbortController().signal): Promise<void> =>
    reconciler.run({
      isJoined: (sid) => present.has(sid),
      onJoined: (sid) => woken.push(sid),
      signal,
    });
  return { clock, logger, since, joins, woken, pagesRead, failures, present, pass };
}

const events = (logger: RecordingLogger): string[] => logger.entries.map(({ event }) => event);

describe('ConversationReconciler', () => {
  it('leaves nothing out when the clock was ahead for a while', async () => {
    const { clock, pass, since } = create([[]]);
    clock.set(2 * HOUR);
    await pass();
    clock.set(-2 * HOUR);
    await clock.advance(60_000);
    await pass();
    expect(since.at(-1)).toBeGreaterThan(0.2);
  });

  it('joins what the bot is not in, once, and says so', async () => {
    const { joins, logger, pass, present, woken } = create([
      [conversation('CH1', 1), conversation('CH2', 2), conversation('CH3', 3, 'closed')],
      [conversation('CH4', 4), { sid: 'CH5' }],
    ]);
    present.add('CH2');
    await Promise.all([pass(), pass()]);
    await pass();
    expect(joins).toEqual(['CH1', 'CH4', 'CH5']);
    expect(woken).toEqual(joins);
    expect(logger.entries).toEqual([
      { level: 'info', event: 'twilio.conversations-found', fields: { joined: 3 } },
    ]);
  });

  it('does not bring back a bot that was removed', async () => {
    const { joins, pass, present } = create([[conversation('CH1', 1), conversation('CH2', 2)]]);
    present.add('CH1');
    await pass();
    present.clear();
    await pass();
    expect(joins).toEqual(['CH2']);
  });

  it('looks back to the history bound first, and then to the last whole pass', async () => {
    const { clock, failures, pass, since } = create([[conversation('CH1', 1)]]);
    failures.set('CH1', new ConnectorError('RATE_LIMITED', 'no'));
    await pass();
    failures.clear();
    await pass();
    await clock.advance(HOUR);
    await pass();
    expect(since).toEqual([24, 24, 0.25]);
  });

  it('leaves out what is older than the bound', async () => {
    const { joins, pass } = create([[conversation('CH1', 23 * HOUR), conversation('CH2', 25 * HOUR)]]);
    await pass();
    expect(joins).toEqual(['CH1']);
  });

  it.each<[string, RestConversation[], number]>([
    [
      'stops at a sorted page that is too old',
      [conversation('CH1', 25 * HOUR), conversation('CH2', 26 * HOUR)],
      1,
    ],
    [
      'reads on after a page without order',
      [conversation('CH1', 26 * HOUR), conversation('CH2', 25 * HOUR)],
      2,
    ],
    [
      'reads on after a page that is old in part',
      [conversation('CH1', 1), conversation('CH2', 26 * HOUR)],
      2,
    ],
    ['reads on after an empty page', [], 2],
  ])('%s', async (_, page, expected) => {
    const { pagesRead, pass } = create([page, [conversation('CH9', 27 * HOUR)]]);
    await pass();
    expect(pagesRead.count).toBe(expected);
  });

  it('tries again in the next pass what has failed, and goes on with the others', async () => {
    const { failures, joins, logger, pass, woken } = create([
      [conversation('CH1', 1), conversation('CH2', 2), conversation('CH3', 3)],
    ]);
    failures.set('CH1', new ConnectorError('UPSTREAM_UNAVAILABLE', 'no'));
    failures.set('CH2', new ConnectorError('TARGET_NOT_FOUND', 'gone'));
    await pass();
    expect(woken).toEqual(['CH3']);
    expect(events(logger)).toEqual(['twilio.join-failed', 'twilio.conversations-found']);
    failures.clear();
    await pass();
    expect(joins.slice(3).sort()).toEqual(['CH1', 'CH2']);
  });

  it('waits as long as the platform asks', async () => {
    const { clock, failures, joins, pass, woken } = create([
      Array.from({ length: 20 }, (_, i) => conversation(`CH${i}`, i)),
    ]);
    for (let i = 0; i < 20; i += 1) {
      failures.set(`CH${i}`, new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: 90_000 }));
    }
    await pass();
    const refused = joins.length;
    expect(refused).toBeLessThanOrEqual(4);
    failures.clear();
    await clock.advance(60_000);
    await pass();
    expect(joins).toHaveLength(refused);
    await clock.advance(60_000);
    await pass();
    expect(new Set(woken).size).toBe(20);
  });

  it('does not hammer a platform that refuses everything, and comes round to all', async () => {
    const sids = Array.from({ length: 40 }, (_, i) => `CH${i}`);
    const { failures, joins, logger, pass } = create([sids.map((sid, i) => conversation(sid, i))]);
    for (const sid of sids) failures.set(sid, new ConnectorError('FORBIDDEN', 'in too many'));
    await pass();
    expect(joins.length).toBeLessThan(10);
    expect(events(logger).at(-1)).toBe('twilio.reconcile-failed');
    for (let i = 0; i < 10; i += 1) await pass();
    expect(new Set(joins).size).toBe(40);
  });

  it('ends when it is aborted, without a word', async () => {
    const { joins, logger, pass } = create([[conversation('CH1', 1)]]);
    await pass(AbortSignal.abort());
    expect([joins, logger.entries]).toEqual([[], []]);
    await pass();
    expect(joins).toEqual(['CH1']);
  });
});
