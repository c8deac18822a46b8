import { ConnectionWatch } from './connection-watch.js';
import { type ConnectorState } from '../connector-state.js';

const connected = (problemCount?: number): ConnectorState => ({
  status: 'connected',
  since: 'then',
  ...(problemCount === undefined ? {} : { problemCount }),
});
const lost: ConnectorState = { status: 'reconnecting', since: 'then', attempt: 1 };

describe('ConnectionWatch', () => {
  const isWoken = async (wait: Promise<void>): Promise<boolean> => {
    const pending = new Promise<false>((resolve) => setImmediate(resolve, false));
    return Promise.race([wait.then(() => true), pending]);
  };
  const endless = (): AbortSignal => new AbortController().signal;

  it.each<[string, ConnectorState[], boolean]>([
    ['connects', [connected()], true],
    ['connects again', [connected(), lost, connected()], true],
    ['loses its connection', [lost], false],
  ])('wakes what waits where the connector %s', async (_name, states, expected) => {
    const watch = new ConnectionWatch();
    const wait = watch.wait('a', 0, endless());
    for (const state of states) watch.note('a', state);
    expect(await isWoken(wait)).toBe(expected);
  });

  it.each<[string, ConnectorState[], boolean]>([
    ['of a part that works again', [connected(1)], true],
    ['of a part that fails', [connected(3)], false],
    ['of nothing new', [connected(2)], false],
    ['of another connection', [lost, connected(2)], true],
  ])('tells a repeated `connected` %s', async (_name, states, expected) => {
    const watch = new ConnectionWatch();
    watch.note('a', connected(2));
    const wait = watch.wait('a', watch.count('a'), endless());
    for (const state of states) watch.note('a', state);
    expect(await isWoken(wait)).toBe(expected);
  });

  it('misses no connection between the look at the count and the wait', async () => {
    const watch = new ConnectionWatch();
    const seen = watch.count('a');
    watch.note('a', connected());
    expect(await isWoken(watch.wait('a', seen, endless()))).toBe(true);
  });

  it('wakes nobody for another connector', async () => {
    const watch = new ConnectionWatch();
    const wait = watch.wait('a', 0, endless());
    watch.note('b', connected());
    expect(await isWoken(wait)).toBe(false);
  });

  it('ends the wait where the signal is aborted', async () => {
    const abort = new AbortController();
    const wait = new ConnectionWatch().wait('a', 0, abort.signal);
    abort.abort();
    expect(await isWoken(wait)).toBe(true);
  });
});
