import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { ChannelJoiner, JOIN_LIMIT } from './channel-joiner.js';
import { SlidingWindow } from './rate-limit.js';

function setUp(channels: readonly string[]): {
  clock: ManualClock;
  joiner: ChannelJoiner;
  lines: { at: number; line: string }[];
  joined: [string, number | undefined][];
  refused: [string, string, number][];
  settled: () => boolean;
} {
  const clock = new ManualClock(0);
  const lines: { at: number; line: string }[] = [];
  const joined: [string, number | undefined][] = [];
  const refused: [string, string, number][] = [];
  const joiner = new ChannelJoiner({
    channels,
    joins: new SlidingWindow(JOIN_LIMIT.windowMs, clock),
    clock,
    logger: new RecordingLogger(),
    send: (line) => lines.push({ at: clock.now(), line }),
    onJoined: (channel, outSince) => joined.push([channel, outSince]),
    onRefused: (channel, { code }, retryAt) => refused.push([channel, code, retryAt]),
  });
  let isSettled = false;
  void joiner.start().then(() => (isSettled = true));
  return { clock, joined, joiner, lines, refused, settled: () => isSettled };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${i}`);

describe('ChannelJoiner', () => {
  it('joins all, and is settled when each has answered', async () => {
    const { clock, joiner, lines, settled } = setUp(['a', 'b']);
    expect(lines.map(({ line }) => line)).toEqual(['JOIN #a', 'JOIN #b']);
    joiner.onStanding('a', 'privileged');
    joiner.onJoined('a');
    await clock.advance(0);
    expect(settled()).toBe(false);
    joiner.onJoined('b');
    await clock.advance(0);
    expect(settled()).toBe(true);
    expect([...joiner.views]).toEqual([
      ['a', { status: 'joined', standing: 'privileged' }],
      ['b', { status: 'joined', standing: 'ordinary' }],
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('joins no faster than Twitch allows: 20 in 10 seconds', async () => {
    const { clock, joiner, lines } = setUp(names(100));
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000);
      for (const { line } of lines) joiner.onJoined(line.slice('JOIN #'.length));
    }
    expect(lines).toHaveLength(100);
    for (const { at } of lines) {
      const within = lines.filter((other) => other.at > at - 10_000 && other.at <= at);
      expect(within.length).toBeLessThanOrEqual(20);
    }
  });

  it.each([
    ['msg_banned', 'FORBIDDEN'],
    ['msg_channel_suspended', 'TARGET_NOT_FOUND'],
    ['tos_ban', 'TARGET_NOT_FOUND'],
  ])('one that is refused with %s leaves the others alone, and is tried again', async (msgId, code) => {
    const { clock, joiner, lines, refused, settled } = setUp(['a', 'b']);
    joiner.onNotice('a', msgId, 'no');
    expect(refused).toEqual([['a', code, 60_000]]);
    joiner.onJoined('b');
    await clock.advance(0);
    expect(settled()).toBe(true);
    expect(joiner.views.get('a')).toMatchObject({ status: 'refused', error: { code } });
    await clock.advance(60_000);
    expect(lines.at(-1)).toEqual({ at: 60_000, line: 'JOIN #a' });
    joiner.onJoined('a');
    expect(joiner.views.get('a')).toMatchObject({ status: 'joined' });
    joiner.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries one that is not answered again, soon and then each minute: nobody knows why', async () => {
    const { clock, joiner, lines, refused, settled } = setUp(['typo']);
    await clock.advance(10_000);
    expect(settled()).toBe(true);
    expect(joiner.views.get('typo')).toMatchObject({
      status: 'refused',
      error: { code: 'NOT_CONNECTED', retryable: true, ambiguous: false },
    });
    expect(refused).toEqual([['typo', 'NOT_CONNECTED', 12_000]]);
    await clock.advance(600_000);
    const waits = lines.slice(1).map(({ at }, i) => at - (lines[i]?.at ?? 0) - 10_000);
    expect(waits.slice(0, 7)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    joiner.onJoined('typo');
    joiner.onParted('typo', 1);
    await clock.advance(12_000);
    expect(lines.slice(-2).map(({ at }) => at)).toEqual([610_000, 622_000]);
    joiner.stop();
  });

  it('knows since when a channel is missed that it has never been in', () => {
    const { joined, joiner } = setUp(['a', 'b']);
    joiner.noteAbsence('a', 700);
    joiner.onJoined('a');
    joiner.noteAbsence('a', 800);
    expect(joined).toEqual([['a', 700]]);
    expect([...joiner.absences]).toEqual([['b', undefined]]);
    joiner.stop();
  });

  it('does not take the refusal of a message for one of a JOIN, nor notices that refuse nothing', () => {
    const { joiner } = setUp(['a', 'b']);
    joiner.onJoined('a');
    joiner.onNotice('a', 'msg_banned', 'no');
    joiner.onNotice('b', 'slow_on', 'slow');
    joiner.onNotice('b', 'msg_ratelimit', 'too fast');
    expect([...joiner.views.values()].map(({ status }) => status)).toEqual(['joined', 'joining']);
    joiner.stop();
  });

  it('comes back where it was put out, and tells since when it was', async () => {
    const { clock, joined, joiner, lines } = setUp(['a']);
    joiner.onJoined('a');
    await clock.advance(1_000);
    joiner.onParted('a', 900);
    expect(joiner.views.get('a')).toEqual({ status: 'joining' });
    expect([...joiner.absences]).toEqual([['a', 900]]);
    expect(lines).toHaveLength(2);
    joiner.onJoined('a');
    expect(joined).toEqual([
      ['a', undefined],
      ['a', 900],
    ]);
    expect([...joiner.absences]).toEqual([]);
    joiner.onParted('unknown', 900);
    joiner.onJoined('unknown');
    expect(joiner.views.size).toBe(1);
    joiner.stop();
  });

  it('knows where it is not, be it refused, not answered or not asked for yet, and after a stop, too', () => {
    const { joiner } = setUp(names(20));
    joiner.onNotice('c0', 'msg_banned', 'no');
    for (const name of names(18).slice(2)) joiner.onJoined(name);
    joiner.stop();
    expect([...joiner.absences]).toEqual([
      ['c0', undefined],
      ['c1', undefined],
      ['c18', undefined],
      ['c19', undefined],
    ]);
  });

  it('follows what the bot becomes in a channel', () => {
    const { joiner } = setUp(['a']);
    joiner.onJoined('a');
    joiner.onStanding('a', 'vip');
    expect(joiner.views.get('a')).toEqual({ status: 'joined', standing: 'vip' });
  });

  it('stops at once, with JOINs waiting', async () => {
    const { clock, joiner, lines, settled } = setUp(names(30));
    joiner.stop();
    await clock.advance(100_000);
    expect([lines.length, settled(), clock.pendingTimers]).toEqual([18, true, 0]);
  });
});
