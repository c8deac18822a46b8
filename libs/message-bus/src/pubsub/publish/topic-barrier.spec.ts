import { TopicBarrier } from './topic-barrier.js';

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

function deferred(): Deferred {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('TopicBarrier', () => {
  it('restores once no request is under way, and lets none start before it has ended', async () => {
    const barrier = new TopicBarrier();
    const log: string[] = [];
    const [request, restoration] = [deferred(), deferred()];
    const first = barrier.pass(async () => {
      await request.promise;
      log.push('first request');
    });
    const restored = barrier.restore(async () => {
      log.push('restore');
      await restoration.promise;
      log.push('restored');
    });
    const second = barrier.pass(() => {
      log.push('second request');
      return Promise.resolve();
    });
    expect(log).toEqual([]);
    request.resolve();
    await first;
    restoration.resolve();
    await Promise.all([restored, second]);
    expect(log).toEqual(['first request', 'restore', 'restored', 'second request']);
  });

  it('shares one restoration, and its failure, among all who ask for it', async () => {
    const barrier = new TopicBarrier();
    let runs = 0;
    const work = (): Promise<void> => {
      runs++;
      return Promise.reject(new Error('no'));
    };
    const results = await Promise.allSettled([barrier.restore(work), barrier.restore(work)]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    expect(runs).toBe(1);
    await expect(barrier.pass(() => Promise.resolve('on it goes'))).resolves.toBe('on it goes');
  });
});
