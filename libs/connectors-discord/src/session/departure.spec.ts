import { ManualClock } from '@bitbrat/foundation/testing';
import { type Dispatcher, DecoratorHandler, request } from 'undici';
import { Departure } from './departure.js';

const ANSWER = Buffer.from('ok');

/** A dispatcher that gets its connection when `connect` is called, as over a slow network. */
function slowNetwork(): {
  http: Parameters<Departure['dispatcher']>[0];
  connect: () => void;
  sent: () => number;
} {
  const waiting: Dispatcher.DispatchHandlers[] = [];
  let sent = 0;
  const dispatch: Dispatcher['dispatch'] = (_, handler) => waiting.push(handler) > 0;
  const compose = (interceptor: (inner: Dispatcher['dispatch']) => Dispatcher['dispatch']) => ({
    dispatch: interceptor(dispatch),
  });
  const connect = (): void => {
    for (const handler of waiting.splice(0)) {
      const failures: Error[] = [];
      handler.onConnect?.((reason) => {
        failures.push(reason ?? new Error('aborted'));
      });
      const [failure] = failures;
      if (failure !== undefined) {
        handler.onError?.(failure);
        continue;
      }
      sent += 1;
      handler.onHeaders?.(200, [], () => undefined, 'OK');
      handler.onData?.(ANSWER);
      handler.onComplete?.([]);
    }
  };
  const getGlobalDispatcher = () => ({ compose }) as unknown as Dispatcher; // the part that is used
  return { http: { DecoratorHandler, getGlobalDispatcher }, connect, sent: () => sent };
}

describe('a request with a time limit', () => {
  const ask = (departure: Departure, http: Parameters<Departure['dispatcher']>[0], expiresAt?: number) =>
    departure.before(expiresAt, async () => {
      await Promise.resolve();
      const dispatcher = departure.dispatcher(http);
      return request('http://127.0.0.1:1/', dispatcher === undefined ? {} : { dispatcher });
    });

  it.each([
    [999, 1],
    [1_000, 0],
    [60_000, 0],
  ])('whose connection is there after %i of 1,000 ms is written %i times', async (tookMs, times) => {
    const clock = new ManualClock();
    const departure = new Departure(clock);
    const network = slowNetwork();
    const answer = ask(departure, network.http, clock.now() + 1_000);
    const ended = answer.then(
      (response) => response.statusCode,
      (error: unknown) => error,
    );
    await clock.advance(tookMs);
    network.connect();
    if (times === 1) expect(await ended).toBe(200);
    else expect(await ended).toMatchObject({ code: 'EXPIRED', ambiguous: false });
    expect(network.sent()).toBe(times);
  });

  it('knows what is left, in its own call only', async () => {
    const clock = new ManualClock();
    const departure = new Departure(clock);
    const seen = await Promise.all(
      [100, undefined, 300].map((ms) =>
        departure.before(ms === undefined ? ms : clock.now() + ms, async () => {
          await Promise.resolve();
          return departure.leftMs;
        }),
      ),
    );
    expect(seen).toEqual([100, Infinity, 300]);
    expect(departure.dispatcher(slowNetwork().http)).toBeUndefined();
  });
});
