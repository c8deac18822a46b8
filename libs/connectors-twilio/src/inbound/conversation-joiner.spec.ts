import { ConnectorError } from '@bitbrat/connectors-core';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { ConversationJoiner } from './conversation-joiner.js';

const MINUTE = 60_000;

interface Attempt {
  readonly sid: string;
  readonly succeed: (wasAdded?: boolean) => void;
  readonly fail: (error: ConnectorError) => void;
}

function create(): {
  readonly clock: ManualClock;
  readonly joiner: ConversationJoiner;
  /** Requests that have no answer yet, oldest first. */
  readonly open: Attempt[];
  /** SIDs of all requests. */
  readonly asked: string[];
  /** SIDs that the bot was added to. */
  readonly joined: string[];
  /** Reports in order: `subject code`, `subject solved`. */
  readonly reports: string[];
} {
  const clock = new ManualClock();
  const open: Attempt[] = [];
  const asked: string[] = [];
  const joined: string[] = [];
  const reports: string[] = [];
  const joiner = new ConversationJoiner({
    rest: {
      addParticipant: (sid) =>
        new Promise((resolve, reject) => {
          asked.push(sid);
          open.push({
            sid,
            fail: reject,
            succeed: (wasAdded = true) => {
              resolve(wasAdded);
            },
          });
        }),
    },
    identity: 'bot',
    clock,
    logger: new RecordingLogger(),
    random: () => 1,
    onJoined: (sid) => joined.push(sid),
    problems: {
      failed: (subject, { code }) => reports.push(`${subject} ${code}`),
      solved: (subject) => reports.push(`${subject} solved`),
    },
  });
  joiner.start();
  return { clock, joiner, open, asked, joined, reports };
}

const sids = (count: number): string[] => Array.from({ length: count }, (_, i) => `CH${i}`);
const full = new ConnectorError('FORBIDDEN', 'too many', { nativeCode: '50214' });
const settle = (clock: ManualClock): Promise<void> => clock.advance(0);

describe('ConversationJoiner', () => {
  it('joins once, however many ask at the same time and later', async () => {
    const { asked, clock, joined, joiner, open } = create();
    const all = Promise.all([joiner.join('CH1', 0), joiner.join('CH1', 0), joiner.join('CH2', 0)]);
    for (const { succeed } of open) succeed();
    expect(await all).toEqual([true, true, true]);
    expect(await joiner.join('CH1', 0)).toBe(false);
    await settle(clock);
    expect([asked, joined]).toEqual([
      ['CH1', 'CH2'],
      ['CH1', 'CH2'],
    ]);
  });

  it('tells the failure, and goes on until it has worked', async () => {
    const { clock, joined, joiner, open } = create();
    const joining = joiner.join('CH1', 0);
    open[0]?.fail(new ConnectorError('UPSTREAM_UNAVAILABLE', 'no'));
    await expect(joining).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await clock.advance(1_000);
    open[1]?.succeed();
    await settle(clock);
    expect([joined, joiner.pending]).toEqual([['CH1'], 0]);
  });

  it('believes the SDK about who is where', async () => {
    const { asked, joiner } = create();
    joiner.remember('CH1');
    await joiner.join('CH1', 0);
    joiner.forget('CH1');
    void joiner.join('CH1', 0).catch(() => undefined);
    expect(asked).toEqual(['CH1']);
  });

  it('asks a few at once, in the order in which they were asked for, slow as they may be', async () => {
    const { asked, clock, joined, joiner, open } = create();
    for (const sid of sids(100)) joiner.ask(sid, 0);
    let most = 0;
    while (joined.length < 100) {
      most = Math.max(most, open.length);
      await clock.advance(2_000);
      open.shift()?.succeed();
      await settle(clock);
    }
    expect(most).toBeLessThanOrEqual(8);
    expect([asked, joined]).toEqual([sids(100), sids(100)]);
  });

  it('has all of them in the end where each fails at first', async () => {
    const { clock, joined, joiner, open } = create();
    const failed = new Set<string>();
    for (const sid of sids(100)) joiner.ask(sid, 0);
    for (let i = 0; i < 1_000 && joined.length < 100; i += 1) {
      for (const { fail, sid, succeed } of open.splice(0)) {
        if (failed.has(sid)) succeed();
        else fail(new ConnectorError('UPSTREAM_UNAVAILABLE', 'no'));
        failed.add(sid);
      }
      await clock.advance(100);
    }
    expect([...joined].sort()).toEqual(sids(100).sort());
  });

  it('asks once a minute while the identity is in too many, reports it once, and hears all when there is room', async () => {
    const { asked, clock, joined, joiner, open, reports } = create();
    for (const sid of sids(50)) joiner.ask(sid, 0);
    for (let minute = 0; minute < 30; minute += 1) {
      for (const { fail } of open.splice(0)) fail(full);
      await expect(joiner.join('CH3', 0)).rejects.toMatchObject({ nativeCode: '50214' });
      await clock.advance(MINUTE);
    }
    expect(asked.length).toBeLessThanOrEqual(8 + 30);
    expect(new Set(reports)).toEqual(new Set(['identity bot FORBIDDEN']));
    for (let i = 0; i < 100 && joined.length < 50; i += 1) {
      for (const { succeed } of open.splice(0)) succeed();
      await settle(clock);
    }
    expect(joined).toHaveLength(50);
    expect(reports.at(-1)).toBe('identity bot solved');
  });

  it('asks at once when the bot has left a conversation', async () => {
    const { clock, joiner, open } = create();
    joiner.ask('CH1', 0);
    open.shift()?.fail(full);
    await settle(clock);
    expect(open).toHaveLength(0);
    joiner.left('CH9');
    expect(open.map(({ sid }) => sid)).toEqual(['CH1']);
  });

  it('holds up all while the platform asks for a wait', async () => {
    const { asked, clock, joiner, open } = create();
    for (const sid of sids(20)) joiner.ask(sid, 0);
    for (const { fail } of open.splice(0))
      fail(new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: 90_000 }));
    await clock.advance(80_000);
    expect(asked).toHaveLength(8);
    await clock.advance(11_000);
    expect(asked).toHaveLength(9);
  });

  it.each([61, 900, 3_600, 86_400, 2_000_000_000])(
    'is held up for 15 minutes at most where the platform asks for %d s, and reports it until it works',
    async (seconds) => {
      const { asked, clock, joined, joiner, open, reports } = create();
      joiner.ask('CH1', 0);
      open.shift()?.fail(new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: seconds * 1_000 }));
      await settle(clock);
      expect(reports).toEqual(['REST API RATE_LIMITED']);
      await clock.advance(Math.min(seconds, 900) * 1_000 - 1);
      expect(asked).toHaveLength(1);
      await clock.advance(1);
      open.shift()?.succeed();
      await settle(clock);
      expect([joined, reports]).toEqual([['CH1'], ['REST API RATE_LIMITED', 'REST API solved']]);
    },
  );

  it('reports short waits that follow each other when they hold it up for more than a minute', async () => {
    const { clock, joiner, open, reports } = create();
    joiner.ask('CH1', 0);
    const counts: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      open.shift()?.fail(new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: 20_000 }));
      await settle(clock);
      counts.push(reports.length);
      await clock.advance(20_000);
    }
    expect(counts).toEqual([0, 0, 0, 1]);
  });

  it.each([
    ['gone', new ConnectorError('TARGET_NOT_FOUND', 'no', { nativeCode: '50377' })],
    ['refused for good', new ConnectorError('FORBIDDEN', 'no', { nativeCode: '50434' })],
  ])('is no longer held up when the platform says that one conversation is %s', async (_, refusal) => {
    const { asked, clock, joiner, open, reports } = create();
    for (const sid of sids(3)) joiner.ask(sid, 0);
    for (const { fail } of open.splice(0))
      fail(new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs: 90_000 }));
    await clock.advance(90_000);
    expect(asked).toHaveLength(4);
    open.shift()?.fail(refusal);
    await settle(clock);
    expect(asked).toHaveLength(6);
    expect(reports).toContain('REST API solved');
  });

  it('tries what is refused for good slowly, reports it, and lets the others pass', async () => {
    const { asked, clock, joined, joiner, open, reports } = create();
    joiner.ask('CH1', 0);
    open.shift()?.fail(new ConnectorError('FORBIDDEN', 'no', { nativeCode: '50434' }));
    joiner.ask('CH2', 0);
    await settle(clock);
    open.shift()?.succeed();
    await clock.advance(59_000);
    expect([asked, joined]).toEqual([['CH1', 'CH2'], ['CH2']]);
    await clock.advance(2_000);
    open.shift()?.succeed();
    await settle(clock);
    expect(reports).toEqual(['joining conversations FORBIDDEN', 'joining conversations solved']);
  });

  it.each([['50350'], ['50377'], ['20404']])('gives up one that is gone (%s)', async (nativeCode) => {
    const { clock, joiner, open } = create();
    joiner.ask('CH1', 0);
    open.shift()?.fail(new ConnectorError('TARGET_NOT_FOUND', 'no', { nativeCode }));
    await clock.advance(20 * MINUTE);
    expect([open, joiner.pending]).toEqual([[], 0]);
  });

  it('keeps over a stop what waits, and since when it is due', async () => {
    const { clock, joined, joiner, open } = create();
    const joining = joiner.join('CH1', 1_234);
    joiner.stop();
    await expect(joining).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    open.shift()?.fail(new ConnectorError('UPSTREAM_UNAVAILABLE', 'aborted'));
    await settle(clock);
    expect(joiner.owed()).toEqual([['CH1', 1_234]]);
    joiner.start();
    await settle(clock);
    open.shift()?.succeed();
    await settle(clock);
    expect([joined, joiner.dueSince('CH1')]).toEqual([['CH1'], 1_234]);
  });
});
