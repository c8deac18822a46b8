import fc from 'fast-check';
import { type Disposition } from '@bitbrat/message-bus';
import { Lanes } from './lanes.js';
import { Seen } from './seen.js';

/** Work that ends when the test says so. */
class Work {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (disposition: Disposition) => void>();

  task(name: string): () => Promise<Disposition> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.#ends.set(name, resolve));
    };
  }

  get running(): string[] {
    return [...this.#ends.keys()];
  }

  async end(name: string, disposition: Disposition = 'ack'): Promise<void> {
    this.#ends.get(name)?.(disposition);
    this.#ends.delete(name);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('lanes', () => {
  it('keep the order of each key and the bound over all keys, whatever ends first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.nat()),
        async (keys, width, choices) => {
          const lanes = new Lanes(width);
          const work = new Work();
          const results = keys.map((key, at) => lanes.run(key, work.task(`${key}${at}`)));
          for (let done = 0; done < keys.length; done++) {
            const { running } = work;
            expect(running.length).toBeLessThanOrEqual(width);
            expect(new Set(running.map((name) => name.charAt(0))).size).toBe(running.length);
            const name = running[(choices.next().value ?? 0) % running.length] ?? '';
            await work.end(name);
          }
          await expect(Promise.all(results)).resolves.toEqual(keys.map(() => 'ack'));
          for (const key of new Set(keys)) {
            const order = work.begun
              .filter((name) => name.startsWith(key))
              .map((name) => Number(name.slice(1)));
            expect(order).toEqual([...order].sort((one, other) => one - other));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('give back what waits behind a failure, and nothing of other keys', async () => {
    const lanes = new Lanes(2);
    const work = new Work();
    const results = ['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => lanes.run(name.charAt(0), work.task(name)));
    await work.end('a1', 'nack');
    await work.end('b1');
    await work.end('b2');
    await expect(Promise.all(results)).resolves.toEqual(['nack', 'nack', 'nack', 'ack', 'ack']);
    expect(work.begun).toEqual(['a1', 'b1', 'b2']);
    const again = lanes.run('a', work.task('a1'));
    await work.end('a1');
    await expect(again).resolves.toBe('ack');
  });

  it('give back what has not begun when they are stopped', async () => {
    const lanes = new Lanes(1);
    const work = new Work();
    const results = ['a1', 'a2', 'b1'].map((name) => lanes.run(name.charAt(0), work.task(name)));
    lanes.stop();
    const late = lanes.run('c', work.task('c1'));
    await work.end('a1');
    await expect(Promise.all([...results, late])).resolves.toEqual(['ack', 'nack', 'nack', 'nack']);
    expect(work.begun).toEqual(['a1']);
  });

  it('take work that throws for a failure', async () => {
    await expect(new Lanes(1).run('a', () => Promise.reject(new Error('x')))).resolves.toBe('nack');
  });
});

describe('what was seen', () => {
  it('is bounded, and the oldest is forgotten first', () => {
    const seen = new Seen(2);
    for (const id of ['a', 'b', 'a', 'c']) seen.add(id);
    expect(['a', 'b', 'c'].map((id) => seen.has(id))).toEqual([true, false, true]);
  });
});
