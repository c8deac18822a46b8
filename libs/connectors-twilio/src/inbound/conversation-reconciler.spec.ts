import { ConnectorError } from '@bitbrat/connectors-core';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { ConversationReconciler } from './conversation-reconciler.js';
import { type RestConversation } from '../platform/twilio-rest.js';

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
  /** SIDs that were named as missing. */
  readonly missing: string[];
  /** Reports in order: `subject`, `subject solved`. */
  readonly reports: string[];
  readonly pagesRead: { count: number };
  /** What the platform answers with instead of its list, and whether what is missing can be taken. */
  readonly refusals: { list: ConnectorError | undefined; missing: boolean };
  /** By how much our clock is wrong. */
  readonly ours: { aheadMs: number };
  readonly present: Set<string>;
  readonly pass: (signal?: AbortSignal) => Promise<void>;
} {
  const clock = new ManualClock(NOW);
  const logger = new RecordingLogger();
  const since: number[] = [];
  const missing: string[] = [];
  const reports: string[] = [];
  const pagesRead = { count: 0 };
  const refusals: { list: ConnectorError | undefined; missing: boolean } = {
    list: undefined,
    missing: false,
  };
  const ours = { aheadMs: 0 };
  const present = new Set<string>();
  const reconciler = new ConversationReconciler({
    rest: {
      time: { learn: () => Promise.resolve(), now: () => clock.now() },
      conversationsSince: async function* (from) {
        since.push((NOW - from) / HOUR);
        if (refusals.list !== undefined) throw refusals.list;
        for (const page of pages) {
          pagesRead.count += 1;
          yield await Promise.resolve([...page]);
        }
      },
    },
    historyMs: 24 * HOUR,
    clock: {
      monotonic: () => clock.monotonic(),
      now: () => clock.now() + ours.aheadMs,
      setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    },
    logger,
    problems: {
      failed: (subject) => reports.push(subject),
      solved: (subject) => reports.push(`${subject} solved`),
    },
  });
  const pass = (signal = new AbortController().signal): Promise<void> =>
    reconciler.run({
      isJoined: (sid) => present.has(sid),
      onMissing: (sid) => {
        if (refusals.missing) return false;
        missing.push(sid);
        return true;
      },
      signal,
    });
  return { clock, logger, since, missing, reports, pagesRead, refusals, ours, present, pass };
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

  it('names what the bot is not in, once, and says so', async () => {
    const { logger, missing, pass, present } = create([
      [conversation('CH1', 1), conversation('CH2', 2), conversation('CH3', 3, 'closed')],
      [conversation('CH4', 4), { sid: 'CH5' }],
    ]);
    present.add('CH2');
    await Promise.all([pass(), pass()]);
    await pass();
    expect(missing).toEqual(['CH1', 'CH4', 'CH5']);
    expect(logger.entries).toEqual([
      { level: 'info', event: 'twilio.conversations-found', fields: { found: 3 } },
    ]);
  });

  it('does not bring back a bot that was removed', async () => {
    const { missing, pass, present } = create([[conversation('CH1', 1), conversation('CH2', 2)]]);
    present.add('CH1');
    await pass();
    present.clear();
    await pass();
    expect(missing).toEqual(['CH2']);
  });

  it('names again what could not be taken', async () => {
    const { missing, pass, refusals, since } = create([[conversation('CH1', 1)]]);
    refusals.missing = true;
    await pass();
    refusals.missing = false;
    await pass();
    expect([missing, since]).toEqual([['CH1'], [24, 24]]);
  });

  it('looks back to the history bound first, and then to the last whole pass', async () => {
    const { clock, pass, refusals, since } = create([[conversation('CH1', 1)]]);
    refusals.list = new ConnectorError('UPSTREAM_UNAVAILABLE', 'no');
    await pass();
    refusals.list = undefined;
    await pass();
    await clock.advance(HOUR);
    await pass();
    expect(since).toEqual([24, 24, 0.25]);
  });

  it.each([-90, 90, 100_000])(
    'goes by the platform, whose clock ours differs from by %i minutes',
    async (minutes) => {
      const { missing, ours, pass, since } = create([
        [conversation('CH1', 23 * HOUR), conversation('CH2', 25 * HOUR)],
      ]);
      ours.aheadMs = minutes * 60_000;
      await pass();
      expect([missing, since]).toEqual([['CH1'], [24]]);
    },
  );

  it('leaves out what is older than the bound', async () => {
    const { missing, pass } = create([[conversation('CH1', 23 * HOUR), conversation('CH2', 25 * HOUR)]]);
    await pass();
    expect(missing).toEqual(['CH1']);
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

  it('waits as long as the platform asks', async () => {
    const { clock, logger, missing, pass, refusals, reports, since } = create([[conversation('CH1', 1)]]);
    refusals.list = new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: 90_000 });
    await pass();
    expect(reports).toEqual(['finding conversations']);
    refusals.list = undefined;
    await clock.advance(60_000);
    await pass();
    expect(since).toHaveLength(1);
    await clock.advance(60_000);
    await pass();
    expect(missing).toEqual(['CH1']);
    expect(reports).toEqual(['finding conversations', 'finding conversations solved']);
    expect(events(logger)).toEqual(['twilio.reconcile-failed', 'twilio.conversations-found']);
  });

  it('ends when it is aborted, without a word', async () => {
    const { logger, missing, pass } = create([[conversation('CH1', 1)]]);
    await pass(AbortSignal.abort());
    expect([missing, logger.entries]).toEqual([[], []]);
    await pass();
    expect(missing).toEqual(['CH1']);
  });
});
