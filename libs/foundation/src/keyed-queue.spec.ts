import { KeyedQueue } from './keyed-queue.js';

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('KeyedQueue', () => {
  it('runs one key in order and other keys beside it', async () => {
    const queue = new KeyedQueue();
    const first = gate();
    const log: string[] = [];
    const a1 = queue.run('a', async () => {
      await first.opened;
      log.push('a1');
    });
    const a2 = queue.run('a', () => {
      log.push('a2');
      return Promise.resolve();
    });
    await queue.run('b', () => {
      log.push('b1');
      return Promise.resolve();
    });
    expect(log).toEqual(['b1']);
    first.open();
    await Promise.all([a1, a2]);
    expect(log).toEqual(['b1', 'a1', 'a2']);
    expect(queue.size).toBe(0);
  });

  it('goes on after a task that fails', async () => {
    const queue = new KeyedQueue();
    const failing = queue.run('a', () => Promise.reject(new Error('no')));
    const next = queue.run('a', () => Promise.resolve('yes'));
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('yes');
    expect(queue.size).toBe(0);
  });
});
