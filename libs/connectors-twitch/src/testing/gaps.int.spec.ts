import { type IngressGap } from '@bitbrat/connectors-core';
import { readNote } from '../session/presence-note.js';
import { fastClock, gapsOf, Gateway, waitFor } from './twitch-world.js';

/** The margin with which a gap begins, and some more. */
const HEARD_FOR_MS = 3_000;

let gateway: Gateway;
/** When a person wrote something in #back that the bot could not hear, in milliseconds since 1970. */
let missedAt: number;

/** What is said about #back, by whoever was told so. */
function gapsOfBack(host = gateway.host): IngressGap[] {
  return gapsOf(host).filter(({ reason }) => reason.includes('#back'));
}

function expectOneThatCovers(gaps: readonly IngressGap[]): void {
  expect(gaps).toEqual([expect.objectContaining({ reason: 'the bot was not in #back' })]);
  const [gap] = gaps;
  expect(Date.parse(gap?.from ?? '')).toBeLessThanOrEqual(missedAt);
  expect(Date.parse(gap?.to ?? '')).toBeGreaterThanOrEqual(missedAt);
}

/**
 * The chat is heard in the other channel, until long after something was missed in this one: a line that was sent so much
 * later has come. That time has passed for the sandbox and the test is not enough, since the connector may be behind.
 */
async function hearOn(isEnough: () => boolean): Promise<void> {
  await waitFor(() => {
    gateway.write('alive');
    const heardUntil = Date.parse(gateway.host.published.at(-1)?.occurredAt ?? '');
    return heardUntil > missedAt + HEARD_FOR_MS && isEnough();
  }, 'the chat to be heard for a while');
}

/** None of them is told twice. */
function expectNoOverlap(gaps: readonly IngressGap[]): void {
  const spans = gaps.map(({ from, to }) => [Date.parse(from), Date.parse(to)] as const);
  for (const [i, [from]] of spans.entries()) expect(from).toBeGreaterThanOrEqual(spans[i - 1]?.[1] ?? 0);
}

/** The connection is lost and made again, with the bot let in: what was missed in #back is told, once. */
async function expectToldAfterLoss(): Promise<void> {
  gateway.sandbox.twitch.injectFault({ kind: 'drop' });
  await waitFor(() => gateway.status === 'failed', 'the loss');
  gateway.sandbox.twitch.configureChannel('back', { suspended: false });
  await gateway.restart();
  expectOneThatCovers(gapsOfBack());
  expectNoOverlap(gapsOf(gateway.host));
}

afterEach(async () => {
  gateway.host.releasePublishes();
  await gateway.dispose();
});

describe('a channel that the bot is not in', () => {
  beforeEach(async () => {
    // The channel is tried again, and the note written, each second; the rest takes its time.
    gateway = await Gateway.create({
      sandbox: { channels: ['bitbrat', 'back'] },
      clock: fastClock(60, 50_000),
    });
    gateway.sandbox.twitch.configureChannel('back', { suspended: true });
    await gateway.start();
    missedAt = Date.now();
    gateway.write('missed', { channel: 'back' });
  });

  it('when the connection is lost is told with what was missed in it', async () => {
    await hearOn(() => true);
    await expectToldAfterLoss();
  });

  it('over two connections is told of both, each time once', async () => {
    await hearOn(() => true);
    await gateway.restart();
    missedAt = Date.now();
    await hearOn(() => true);
    gateway.sandbox.twitch.configureChannel('back', { suspended: false });
    await waitFor(() => gapsOfBack().length === 2, 'the way in');
    expect(gapsOfBack().map(({ reason }) => reason)).toEqual([
      'the bot was not in #back',
      '#back was joined late',
    ]);
    expectNoOverlap(gapsOf(gateway.host));
  });

  it('at a stop is told by the next process', async () => {
    await hearOn(() => true);
    await gateway.connector.stop();
    const { connector, host } = gateway.restarted();
    await connector.start(new AbortController().signal);
    expectOneThatCovers(gapsOfBack(host));
    expectNoOverlap(gapsOf(host));
    await connector.stop();
  });

  it('is told by the next process, too, where this one is killed', async () => {
    // A note that was written before may end just before something was missed; the gap of the service covers the rest then.
    const noted = (): boolean => {
      const note = readNote(gateway.host.cursors.entries.get('presence') ?? '');
      return (
        note?.untold.some(({ reason, to }) => reason.includes('#back') && Date.parse(to) >= missedAt) === true
      );
    };
    await hearOn(noted);
    expect(gapsOfBack()).toEqual([]);
    const { connector, host } = gateway.restarted();
    await connector.start(new AbortController().signal);
    expectOneThatCovers(gapsOfBack(host).slice(0, 1));
    expectNoOverlap(gapsOf(host));
    await connector.stop();
  });
});

describe('a channel that the bot is put out of', () => {
  it('is told with what was missed since the newest line before, when the connection is lost', async () => {
    gateway = await Gateway.create({ sandbox: { channels: ['bitbrat', 'back'] } });
    await gateway.start();
    gateway.sandbox.twitch.configureChannel('back', { suspended: true });
    // Twitch does not date a PART, and it may be late: the newest line alone is certain to have come before.
    missedAt = Date.now();
    gateway.sandbox.twitch.sendEvent({
      kind: 'raw',
      line: ':bitbrat_bot!bitbrat_bot@bitbrat_bot.tmi.twitch.tv PART #back',
    });
    await hearOn(() => true);
    await expectToldAfterLoss();
  });
});

describe('what had no place to wait for the bus', () => {
  it('is told with its number at a stop, and by the next process where the bus did not take that', async () => {
    gateway = await Gateway.create({ config: { bufferMessages: 4 } });
    await gateway.start();
    gateway.host.holdPublishes();
    for (let i = 0; i < 6; i++) gateway.write(`m${i}`);
    await waitFor(() => gateway.details['lostMessages'] === 2, 'the bound');
    await gateway.connector.stop();
    expect(gapsOf(gateway.host).map(({ lost }) => lost)).toEqual([2]);
    const { connector, host } = gateway.restarted();
    await connector.start(new AbortController().signal);
    expect(gapsOf(host).map(({ lost }) => lost)).toEqual([2, undefined]);
    await connector.stop();
  });
});
