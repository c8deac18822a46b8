import { ManualClock } from '@bitbrat/foundation/testing';
import { FairShare } from './fair-share.js';

const ordered = (id: string): { id: string; orderingKey: string } => ({ id, orderingKey: 'k' });

describe('FairShare', () => {
  const share = (capacity: number): { share: FairShare; clock: ManualClock } => {
    const clock = new ManualClock();
    return { share: new FairShare(capacity, clock), clock };
  };
  const takes = (from: FairShare, key: string, ids: readonly string[]): string[] =>
    ids.filter((id) => from.take(key, ordered(id)) !== undefined);

  it('leaves a destination half of all, and each one at least one', () => {
    const { share: of6 } = share(6);
    expect(takes(of6, 'slow', ['s1', 's2', 's3', 's4', 's5'])).toEqual(['s1', 's2', 's3']);
    expect(takes(of6, 'a', ['a1', 'a2', 'a3', 'a4'])).toEqual(['a1', 'a2', 'a3']);
    expect(takes(share(1).share, 'a', ['a1', 'a2'])).toEqual(['a1']);
  });

  it('takes what it gave back in the old order, and tells how often it came', () => {
    const { share: of4 } = share(4);
    expect(takes(of4, 'slow', ['s1', 's2', 's3', 's4'])).toEqual(['s1', 's2']);
    of4.release('slow');
    of4.release('slow');
    expect(takes(of4, 'slow', ['s5', 's4'])).toEqual([]);
    expect([of4.take('slow', ordered('s3')), of4.take('slow', ordered('s4'))]).toEqual([1, 2]);
    of4.release('slow');
    expect(of4.take('slow', ordered('s5'))).toBe(1);
  });

  it('holds nothing back for messages without an ordering key', () => {
    const { share: of4 } = share(4);
    for (const id of ['s1', 's2', 's3']) of4.take('slow', { id });
    of4.release('slow');
    expect(of4.take('slow', { id: 's4' })).toBe(0);
  });

  it('waits no longer for a message that does not come again, though others do', async () => {
    const { clock, share: of4 } = share(4);
    takes(of4, 'slow', ['s1', 's2', 's3', 's4']);
    of4.release('slow');
    for (let minute = 0; minute < 2; minute += 1) {
      await clock.advance(60_000);
      expect(of4.take('slow', ordered('s4'))).toBeUndefined();
    }
    await clock.advance(60_000);
    expect(of4.take('slow', ordered('s4'))).toBe(3);
  });
});
