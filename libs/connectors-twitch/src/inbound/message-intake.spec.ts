import { type IngressGap } from '@bitbrat/connectors-core';
import { RecordingHost } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { type ChatLine } from '../platform/chat-line.js';
import { MessageIntake } from './message-intake.js';
import { TwitchEnvelopeBuilder } from './twitch-envelope-builder.js';

const chat = (text: string, source = 'alice', userId = '1'): ChatLine => ({
  command: 'PRIVMSG',
  tags: { id: `id-${text}`, 'user-id': userId, 'room-id': '9' },
  source,
  params: ['#bitbrat', text],
  raw: text,
});

function setUp(limit: number): {
  clock: ManualClock;
  counts: { received: number; ignored: number };
  gaps: IngressGap[];
  host: RecordingHost;
  intake: MessageIntake;
} {
  const clock = new ManualClock();
  const host = new RecordingHost({ clock });
  const counts = { received: 0, ignored: 0 };
  const gaps: IngressGap[] = [];
  const intake = new MessageIntake({
    login: 'bitbrat_bot',
    botId: () => '777',
    isRepeat: () => false,
    limit,
    builder: new TwitchEnvelopeBuilder(host.egressTopic),
    publish: host.publish,
    clock,
    logger: host.logger,
    onReceived: () => (counts.received += 1),
    onIgnored: () => (counts.ignored += 1),
    onLoss: (gap) => gaps.push(gap),
  });
  return { clock, counts, gaps, host, intake };
}

/** By the one connection that there is. */
function take(intake: MessageIntake, line: ChatLine): void {
  intake.take(line, intake);
}

describe('MessageIntake', () => {
  it('publishes what people write, in order, and leaves out the bot by login or id', async () => {
    const { counts, host, intake } = setUp(10);
    take(intake, chat('one'));
    take(intake, chat('own', 'bitbrat_bot'));
    take(intake, chat('renamed', 'old_name', '777'));
    take(intake, { ...chat('state'), command: 'USERSTATE' });
    take(intake, chat('two'));
    await intake.idle(1_000);
    expect(host.published.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(counts).toEqual({ received: 2, ignored: 2 });
  });

  it('keeps what comes while the bus is away, up to the limit, and reports what it could not keep', async () => {
    const { clock, counts, gaps, host, intake } = setUp(4);
    host.holdPublishes();
    for (const text of ['1', '2', '3', '4']) take(intake, chat(text));
    await clock.advance(1_000);
    take(intake, chat('5'));
    await clock.advance(1_000);
    take(intake, chat('6'));
    expect([intake.pending, intake.lost, gaps]).toEqual([4, 2, []]);
    host.releasePublishes();
    await intake.idle(1_000);
    expect(host.published.map(({ text }) => text)).toEqual(['1', '2', '3', '4']);
    expect(counts.received).toBe(4);
    expect(gaps).toEqual([
      {
        from: '2026-01-01T00:00:01.000Z',
        to: '2026-01-01T00:00:02.000Z',
        reason: expect.stringContaining('4 messages') as string,
        lost: 2,
      },
    ]);
    take(intake, chat('7'));
    await intake.idle(1_000);
    expect([host.published.length, gaps.length]).toEqual([5, 1]);
  });

  it('says so when the bus refuses a message for good, and reports it as lost when it takes the next one', async () => {
    const { clock, counts, gaps, host, intake } = setUp(4);
    host.failNextPublish(2);
    take(intake, chat('refused'));
    await clock.advance(1_000);
    take(intake, chat('refused too'));
    await clock.advance(1_000);
    expect([intake.unpublishable, intake.lost, gaps]).toEqual([2, 2, []]);
    take(intake, chat('next'));
    await intake.idle(1_000);
    expect([intake.unpublishable, counts.received]).toEqual([2, 1]);
    expect(gaps).toEqual([
      {
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-01-01T00:00:01.000Z',
        reason: 'the bus refused them',
        lost: 2,
      },
    ]);
    expect(host.logger.entries.map(({ event }) => event)).toEqual([
      'twitch.message-unpublishable',
      'twitch.message-unpublishable',
      'twitch.messages-lost',
    ]);
    expect(JSON.stringify(host.logger.entries)).not.toContain('"text"');
  });

  it('counts what it could not keep and what the bus refused together', async () => {
    const { clock, gaps, host, intake } = setUp(1);
    host.failNextPublish();
    take(intake, chat('refused'));
    take(intake, chat('no place'));
    await clock.advance(1_000);
    take(intake, chat('next'));
    await intake.idle(1_000);
    expect(gaps).toEqual([
      {
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-01-01T00:00:00.000Z',
        reason: 'the bus was away and 1 messages were waiting already; the bus refused them',
        lost: 2,
      },
    ]);
  });

  it('has taken nothing for sure since the oldest message that waits or is lost and not reported yet', async () => {
    const { clock, gaps, intake, host } = setUp(2);
    const start = clock.now();
    const sentAt = (seconds: number, text: string): ChatLine => {
      const line = chat(text);
      return { ...line, tags: { ...line.tags, 'tmi-sent-ts': String(start + seconds * 1_000) } };
    };
    expect(intake.oldestPendingAt).toBeUndefined();
    await clock.advance(60_000);
    host.holdPublishes();
    take(intake, sentAt(20, '1'));
    take(intake, sentAt(10, 'of another channel'));
    expect(intake.oldestPendingAt).toBe(start + 10_000);
    take(intake, sentAt(30, 'lost'));
    take(intake, sentAt(5, 'lost, of another channel'));
    expect(intake.oldestPendingAt).toBe(start + 5_000);
    intake.reportLoss();
    expect(gaps).toMatchObject([
      { from: '2026-01-01T00:00:05.000Z', to: '2026-01-01T00:01:00.000Z', lost: 2 },
    ]);
    expect(intake.oldestPendingAt).toBe(start + 10_000);
    host.releasePublishes();
    await intake.idle(1_000);
    intake.reportLoss();
    expect([intake.oldestPendingAt, gaps.length]).toEqual([undefined, 1]);
  });

  it('does not wait for ever at a stop', async () => {
    const { clock, host, intake } = setUp(4);
    host.holdPublishes();
    take(intake, chat('1'));
    const idle = intake.idle(1_500);
    await clock.advance(1_500);
    await idle;
    expect([clock.pendingTimers, host.logger.entries.map(({ event }) => event)]).toEqual([
      0,
      ['twitch.messages-waiting'],
    ]);
    host.releasePublishes();
  });
});
