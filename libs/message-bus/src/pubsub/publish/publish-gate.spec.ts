import { PublishGate } from './publish-gate.js';

describe('PublishGate', () => {
  it('admits up to its bound in messages, the rest in order as others leave', () => {
    const gate = new PublishGate(2, 1000);
    const admitted: number[] = [];
    for (let index = 0; index < 5; index++) gate.enter(1, () => admitted.push(index));
    expect(admitted).toEqual([0, 1]);
    gate.leave(1);
    expect(admitted).toEqual([0, 1, 2]);
    gate.leave(1);
    gate.leave(1);
    expect(admitted).toEqual([0, 1, 2, 3, 4]);
  });

  it('bounds bytes, lets one large message in alone and nobody past it', () => {
    const gate = new PublishGate(10, 100);
    const admitted: string[] = [];
    gate.enter(60, () => admitted.push('a'));
    gate.enter(5000, () => admitted.push('large'));
    gate.enter(1, () => admitted.push('small'));
    expect(admitted).toEqual(['a']);
    gate.leave(60);
    expect(admitted).toEqual(['a', 'large']);
    gate.leave(5000);
    expect(admitted).toEqual(['a', 'large', 'small']);
  });

  it('withdraws who still waits, and only then', () => {
    const gate = new PublishGate(1, 1000);
    const admitted: string[] = [];
    const withdrawFirst = gate.enter(1, () => admitted.push('first'));
    const withdrawSecond = gate.enter(1, () => admitted.push('second'));
    gate.enter(1, () => admitted.push('third'));
    expect(withdrawFirst()).toBe(false);
    expect(withdrawSecond()).toBe(true);
    gate.leave(1);
    expect(admitted).toEqual(['first', 'third']);
  });
});
