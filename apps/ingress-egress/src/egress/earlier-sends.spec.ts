import { type Logger, sleep } from '@bitbrat/connectors-core';
import { ManualClock } from '@bitbrat/connectors-core/testing';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { EarlierSends, type EventOnItsWay } from './earlier-sends.js';
import { type EarlierSend, SendClaims } from './send-claims.js';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('EarlierSends.claim while the store is away', () => {
  const clock = new ManualClock();
  const away = { get: () => Promise.reject(new Error('away')), compareAndSet: () => Promise.resolve(true) };
  const sends = new EarlierSends(new SendClaims(away, clock, silent), clock, {
    repeatWindowMs: Infinity,
    giveUpAfterMs: 60_000,
  });
  const claim = async (id: string): Promise<EarlierSend | 'waits'> => {
    const message: ReceivedMessage = {
      id,
      topic: 't',
      data: new Uint8Array(),
      attributes: {},
      attempt: 1,
      publishedAt: clock.now(),
    };
    const way: EventOnItsWay = { id, message, earlierDeliveries: 0 };
    const waits = sleep(clock, 100, new AbortController().signal).then(() => 'waits' as const);
    return Promise.race([sends.claim(way, new AbortController().signal), waits]);
  };

  it('waits once for all events, and again when the store is away another time', async () => {
    const first = claim('e1');
    await clock.advance(60_200);
    expect(await first).toBe('waits');
    const behind = claim('e2');
    await clock.advance(200);
    expect(await behind).toBe('unavailable');

    await clock.advance(3_600_000);
    const later = claim('e3');
    await clock.advance(200);
    expect(await later).toBe('waits');
  });
});
