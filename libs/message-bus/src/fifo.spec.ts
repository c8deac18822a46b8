import { Fifo } from './fifo.js';

describe('Fifo', () => {
  it('gives items in the order in which they came, however many', () => {
    const fifo = new Fifo<number>();
    const out: (number | undefined)[] = [];
    for (let index = 0; index < 5000; index++) {
      fifo.push(index);
      if (index % 3 === 0) out.push(fifo.shift());
    }
    expect(fifo.length).toBe(5000 - out.length);
    expect(fifo.peek()).toBe(out.length);
    while (fifo.length > 0) out.push(fifo.shift());
    expect(out).toEqual(Array.from({ length: 5000 }, (_, index) => index));
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
  });

  it('retains and drains what is left, in order', () => {
    const fifo = new Fifo<number>();
    for (let index = 0; index < 10; index++) fifo.push(index);
    fifo.shift();
    fifo.retain((item) => item % 2 === 0);
    expect(fifo.length).toBe(4);
    fifo.push(10);
    expect(fifo.drain()).toEqual([2, 4, 6, 8, 10]);
    expect(fifo.length).toBe(0);
  });
});
