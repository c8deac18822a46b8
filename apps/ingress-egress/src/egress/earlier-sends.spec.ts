import { silentLogger, sleep } from '@bitbrat/foundation';
import { ManualClock } from '@bitbrat/foundation/testing';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { EarlierSends, type EventOnItsWay, type Protection } from './earlier-sends.js';
import { type Claim, SendClaims } from './send-claims.js';

describe('EarlierSends.claim while the store is away', () => {
  const clock = new ManualClock();
  const refuse = (): Promise<never> => Promise.reject(new Error('away'));
  const away = { get: refuse, set: refuse, delete: refuse, compareAndSet: refuse };
  const options = { instanceId: 'one', epoch: '1', isShared: false };
  const sends = new EarlierSends(new SendClaims(away, clock, silentLogger, options), clock, {
    repeatWindowMs: Infinity,
    giveUpAfterMs: 60_000,
  });
  const claim = async (id: string, protection: Protection): Promise<Claim['kind'] | 'waits'> => {
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
    const claimed = sends.claim(way, protection, new AbortController().signal).then(({ kind }) => kind);
    return Promise.race([claimed, waits]);
  };

  it('waits once for all events, and again when the store is away another time', async () => {
    const first = claim('e1', 'none');
    await clock.advance(60_200);
    expect(await first).toBe('waits');
    const behind = claim('e2', 'none');
    await clock.advance(200);
    expect(await behind).toBe('unavailable');

    await clock.advance(3_600_000);
    const later = claim('e3', 'none');
    await clock.advance(200);
    expect(await later).toBe('waits');
  });

  it.each(['lookup', 'platform'] as const)(
    'waits for no event where %s prevents duplicates',
    async (protection) => {
      const claimed = claim('e4', protection);
      await clock.advance(0);
      expect(await claimed).toBe('mine');
    },
  );
});
