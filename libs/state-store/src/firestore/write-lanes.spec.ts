import { WriteLanes } from './write-lanes.js';

describe('WriteLanes', () => {
  it('makes one of sets that wait behind one another', async () => {
    const lanes = new WriteLanes();
    const written: string[] = [];
    let finish: () => void = () => undefined;
    const slow = lanes.run('k', () => new Promise<void>((resolve) => (finish = resolve)));
    const write = (value: string): Promise<void> => {
      written.push(value);
      return Promise.resolve();
    };
    const sets = ['1', '2', '3'].map((value) => lanes.set('k', value, write));
    const between = lanes.run('k', () => Promise.resolve(written.push('between')));
    const later = ['4', '5'].map((value) => lanes.set('k', value, write));
    await lanes.set('other', 'free', write);
    expect(written).toEqual(['free']);
    finish();
    await Promise.all([slow, ...sets, between, ...later]);
    expect(written).toEqual(['free', '3', 'between', '5']);
  });

  it('goes on after a write that failed, and tells all who shared it', async () => {
    const lanes = new WriteLanes();
    const fail = (): Promise<void> => Promise.reject(new Error('away'));
    const shared = await Promise.allSettled([lanes.set('k', '1', fail), lanes.set('k', '2', fail)]);
    expect(shared.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(lanes.run('k', () => Promise.resolve('done'))).resolves.toBe('done');
  });
});
