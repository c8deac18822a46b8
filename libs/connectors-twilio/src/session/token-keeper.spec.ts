import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { TokenKeeper, type TokenKeeperOptions } from './token-keeper.js';
import { type MintedToken } from './token-provider.js';

function create(update: (jwt: string) => Promise<unknown>): {
  broken: unknown[];
  clock: ManualClock;
  connection: { up: boolean };
  keeper: TokenKeeper;
  updates: string[];
} {
  const clock = new ManualClock();
  const updates: string[] = [];
  const broken: unknown[] = [];
  const connection = { up: true };
  let minted = 0;
  const mint = (): MintedToken => ({ jwt: `token ${++minted}`, expiresAt: clock.now() + 600_000 });
  const options: TokenKeeperOptions = {
    provider: { ttlSeconds: 600, mint },
    clock,
    logger: new RecordingLogger(),
    update: (jwt) => {
      updates.push(jwt);
      return update(jwt);
    },
    isConnected: () => connection.up,
    onBroken: (error) => broken.push(error),
  };
  return { broken, clock, connection, keeper: new TokenKeeper(mint(), options), updates };
}

describe('TokenKeeper', () => {
  it('renews at two thirds of the life, again and again', async () => {
    const { clock, keeper, updates } = create(() => Promise.resolve());
    await clock.advance(399_999);
    expect(updates).toEqual([]);
    await clock.advance(1);
    expect(updates).toEqual(['token 2']);
    expect(keeper.expiresAt).toBe(clock.now() + 600_000);
    await clock.advance(400_000);
    expect(updates).toEqual(['token 2', 'token 3']);
    keeper.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits for the connection, because the SDK must not be given a token in any other state', async () => {
    const { clock, connection, keeper, updates } = create(() => Promise.resolve());
    connection.up = false;
    await clock.advance(500_000);
    expect(updates).toEqual([]);
    connection.up = true;
    keeper.onConnected();
    await clock.advance(0);
    expect(updates).toEqual(['token 2']);
    keeper.onConnected();
    await clock.advance(0);
    expect(updates).toHaveLength(1);
  });

  it('makes one update of several calls at once', async () => {
    const { clock, keeper, updates } = create(() => Promise.resolve());
    await Promise.all([keeper.renew(), keeper.renew()]);
    await keeper.renew();
    expect(updates).toEqual(['token 2', 'token 3']);
    keeper.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries a refused update again, with another token', async () => {
    let refusals = 1;
    const { clock, updates } = create(() =>
      refusals-- > 0 ? Promise.reject(new Error('500')) : Promise.resolve(),
    );
    await clock.advance(400_000);
    await clock.advance(15_000);
    expect(updates).toEqual(['token 2', 'token 3']);
  });

  it('tells that only a new client helps where an update gets no answer', async () => {
    const { broken, clock } = create(() => new Promise(() => undefined));
    await clock.advance(400_000 + 35_000);
    expect(broken).toMatchObject([{ code: 'TIMEOUT', retryable: true }]);
  });

  it('does nothing after its stop', async () => {
    const { clock, keeper, updates } = create(() => Promise.resolve());
    keeper.stop();
    await keeper.renew();
    await clock.advance(1_000_000);
    expect(updates).toEqual([]);
  });
});
