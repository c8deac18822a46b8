import { AttemptCounter } from './attempt-counter.js';

describe('AttemptCounter', () => {
  it('counts per subscription and message, and starts again after forget', () => {
    const counter = new AttemptCounter();
    expect(counter.next('a', '1', 0)).toBe(1);
    expect(counter.next('a', '1', 0)).toBe(2);
    expect(counter.next('b', '1', 0)).toBe(1);
    counter.forget('a', '1');
    expect(counter.next('a', '1', 0)).toBe(1);
  });

  it('goes by the service where that has counted more, as after a restart', () => {
    const counter = new AttemptCounter();
    expect(counter.next('a', '1', 4)).toBe(4);
    expect(counter.next('a', '1', 5)).toBe(5);
  });
});
