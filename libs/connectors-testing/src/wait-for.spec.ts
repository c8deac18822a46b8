import { AssertionError } from 'node:assert/strict';
import { waitFor, within } from './wait-for.js';

describe('waitFor', () => {
  it('resolves as soon as the condition holds', async () => {
    let looks = 0;
    await waitFor(() => (looks += 1) === 3, 1_000, 'the third look');
    await waitFor(() => Promise.resolve(true), 0, 'nothing');
    expect(looks).toBe(3);
  });

  it('names what it waited for in vain', async () => {
    const waiting = waitFor(() => false, 10, 'rain');
    await expect(waiting).rejects.toThrow(new AssertionError({ message: 'waited 10 ms in vain for: rain' }));
  });

  it('passes on what the condition throws', async () => {
    const broken = (): boolean => {
      throw new Error('broken');
    };
    await expect(waitFor(broken, 1_000, 'nothing')).rejects.toThrow('broken');
  });
});

describe('within', () => {
  it('settles as the work does, or names what came too late', async () => {
    await expect(within(Promise.resolve(1), 1_000, 'one')).resolves.toBe(1);
    await expect(within(Promise.reject(new Error('broken')), 1_000, 'one')).rejects.toThrow('broken');
    const forever = new Promise<never>(() => undefined);
    await expect(within(forever, 10, 'forever')).rejects.toThrow('waited 10 ms in vain for: forever');
  });
});
