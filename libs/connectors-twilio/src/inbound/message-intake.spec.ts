import { ConnectorError } from '@bitbrat/connectors-core';
import { RecordingHost } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { type Message } from '@twilio/conversations';
import { ConsentBook } from '../consent/consent-book.js';
import { MessageIntake } from './message-intake.js';
import { TwilioEnvelopeBuilder } from './twilio-envelope-builder.js';

/** What the SDK shows of a text message. */
const message = (index: number): Message => {
  const native = {
    sid: `IM${index}`,
    index,
    author: '+15550100',
    body: `m${index}`,
    dateCreated: new Date(Date.UTC(2026, 0, 1)),
    conversation: { sid: 'CH1', friendlyName: null },
    participantSid: 'MB1',
    attachedMedia: [],
    getParticipant: () => Promise.reject(new Error('has left')),
  };
  return native as unknown as Message; // the rest of it is not looked at
};

const page = (from: number, to: number): Message[] =>
  Array.from({ length: to - from }, (_, i) => message(from + i));

const statuses = (results: readonly PromiseSettledResult<void>[]): string[] =>
  results.map(({ status }) => status);

function create(): {
  readonly clock: ManualClock;
  readonly counts: { received: number; ignored: number; unreadable: number };
  readonly host: RecordingHost;
  readonly intake: MessageIntake;
} {
  const clock = new ManualClock();
  const host = new RecordingHost({ clock });
  const counts = { received: 0, ignored: 0, unreadable: 0 };
  const intake = new MessageIntake({
    identity: 'bot',
    allowedSenders: [],
    builder: new TwilioEnvelopeBuilder(host.egressTopic),
    publish: host.publish,
    consents: new ConsentBook(host),
    clock,
    logger: host.logger,
    onReceived: () => (counts.received += 1),
    onIgnored: () => (counts.ignored += 1),
    onUnreadable: () => (counts.unreadable += 1),
  });
  return { clock, counts, host, intake };
}

describe('MessageIntake', () => {
  it('publishes once what the runs of a restarted connector read again while the bus is away, in order', async () => {
    const { clock, counts, host, intake } = create();
    host.holdPublishes();
    const runs: { readonly abort: AbortController; readonly taken: Promise<PromiseSettledResult<void>[]> }[] =
      [];
    for (let run = 0; run < 8; run += 1) {
      runs.at(-1)?.abort.abort();
      const abort = new AbortController();
      runs.push({ abort, taken: intake.take(page(0, 3), abort.signal) });
      await clock.advance(0);
    }
    const more = intake.take(page(0, 5), new AbortController().signal);
    await clock.advance(0);
    expect(host.heldPublishes).toBe(5);
    expect(host.published).toEqual([]);

    host.releasePublishes();
    for (const { taken } of runs) expect(statuses(await taken)).toEqual(Array(3).fill('fulfilled'));
    expect(statuses(await more)).toEqual(Array(5).fill('fulfilled'));
    expect(host.published.map(({ text }) => text)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
    expect(counts).toMatchObject({ received: 5, ignored: 0 });
  });

  it('acknowledges to nobody before the bus has', async () => {
    const { clock, host, intake } = create();
    host.holdPublishes();
    const { signal } = new AbortController();
    let settled = 0;
    const takes = [1, 2].map(() => intake.take(page(0, 1), signal).finally(() => (settled += 1)));
    await clock.advance(60_000);
    expect(settled).toBe(0);
    host.releasePublishes();
    await Promise.all(takes);
    expect(settled).toBe(2);
  });

  it('tells all who wait what the bus refused, and publishes it again afterwards', async () => {
    const { counts, host, intake } = create();
    const { signal } = new AbortController();
    host.failNextPublish();
    const takes = await Promise.all([1, 2].map(() => intake.take(page(0, 1), signal)));
    expect(takes.map(statuses)).toEqual([['rejected'], ['rejected']]);
    expect([host.publishCalls, counts.received]).toEqual([1, 0]);
    expect(statuses(await intake.take(page(0, 1), signal))).toEqual(['fulfilled']);
    expect([host.published.length, counts.received]).toEqual([1, 1]);
  });

  it('forgets a publish that has ended: what is read anew is published anew', async () => {
    const { host, intake } = create();
    const { signal } = new AbortController();
    for (let i = 0; i < 2; i += 1) await intake.take(page(0, 1), signal);
    expect(host.published).toHaveLength(2);
  });

  it('reads past a message that can never be published, and says so once', async () => {
    const { counts, host, intake } = create();
    const { signal } = new AbortController();
    host.failNextPublish(1, new ConnectorError('PAYLOAD_INVALID', 'too large'));
    const takes = await Promise.all([1, 2].map(() => intake.take(page(0, 2), signal)));
    expect(takes.map(statuses)).toEqual(Array(2).fill(['fulfilled', 'fulfilled']));
    expect(host.published.map(({ text }) => text)).toEqual(['m1']);
    expect(counts).toMatchObject({ received: 1, ignored: 1 });
    expect(host.logger.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});
