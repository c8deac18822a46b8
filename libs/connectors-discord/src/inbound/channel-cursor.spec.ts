import { ChannelCursor } from './channel-cursor.js';

describe('ChannelCursor', () => {
  it('moves over an unbroken row of arrivals only', () => {
    const cursor = new ChannelCursor();
    const [a, b, c] = ['101', '102', '103'].map((id) => cursor.depart(id));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three departed');
    expect(cursor.position).toBeUndefined();
    expect(cursor.arrive(b)).toBeUndefined();
    expect(cursor.arrive(a)).toBe('102');
    expect(cursor.arrive(c)).toBe('103');
    expect(cursor.position).toBe('103');
  });

  it('stays where a message did not arrive, whatever arrives later', () => {
    const cursor = new ChannelCursor();
    const a = cursor.depart('101');
    const lost = cursor.depart('102');
    const c = cursor.depart('103');
    cursor.arrive(a);
    cursor.interrupt();
    expect(cursor.arrive(c)).toBeUndefined();
    expect(cursor.arrive(lost)).toBeUndefined();
    expect(cursor.position).toBe('101');
    cursor.arrive(cursor.depart('102'));
    expect(cursor.position).toBe('102');
  });

  it('never goes back', () => {
    const cursor = new ChannelCursor();
    cursor.moveTo('1000');
    cursor.moveTo('999');
    cursor.moveTo(undefined);
    cursor.arrive(cursor.depart('998'));
    expect(cursor.position).toBe('1000');
  });
});
