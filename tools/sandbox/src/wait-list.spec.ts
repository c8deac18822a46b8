import { WaitList } from './wait-list.js';

describe('WaitList', () => {
  it('resolves at once with what is there already', async () => {
    await expect(new WaitList().waitFor(() => 1, 1_000)).resolves.toBe(1);
  });

  it('resolves after the change that brings it', async () => {
    const list = new WaitList();
    const state: { value?: string } = {};
    const waiting = list.waitFor(() => state.value, 10_000);
    list.notify();
    state.value = 'there';
    list.notify();
    await expect(waiting).resolves.toBe('there');
  });

  it('resolves with undefined when the time is up', async () => {
    await expect(new WaitList().waitFor(() => undefined, 1)).resolves.toBeUndefined();
  });

  it('resolves with the first list that is not empty, and with an empty one when the time is up', async () => {
    const list = new WaitList();
    const found: number[] = [];
    const waiting = list.waitForSome(() => found, 10_000);
    list.notify();
    found.push(1);
    list.notify();
    await expect(waiting).resolves.toEqual([1]);
    await expect(list.waitForSome(() => [], 1)).resolves.toEqual([]);
  });

  it('rejects when the probe throws, now or later', async () => {
    const list = new WaitList();
    let gone = false;
    const probe = (): undefined => {
      if (gone) throw new Error('gone');
      return undefined;
    };
    const waiting = list.waitFor(probe, 10_000);
    gone = true;
    list.notify();
    await expect(waiting).rejects.toThrow('gone');
    await expect(list.waitFor(probe, 10_000)).rejects.toThrow('gone');
  });

  it('rejects everybody when it is closed', async () => {
    const list = new WaitList();
    const waiting = list.waitFor(() => undefined, 10_000);
    list.close();
    await expect(waiting).rejects.toThrow('closed');
  });
});
