import { finalFault, isConflict } from './firestore-errors.js';

const grpcError = (code: number): Error => Object.assign(new Error('refused'), { code });

describe('finalFault', () => {
  it.each([
    [3, 'INVALID_CONFIG'],
    [5, 'INVALID_CONFIG'],
    [7, 'FORBIDDEN'],
    [9, 'INVALID_CONFIG'],
    [12, 'INVALID_CONFIG'],
    [4, undefined],
    [8, undefined],
    [10, undefined],
    [13, undefined],
    [14, undefined],
    [16, undefined],
  ])('maps status %d to %s', (status, code) => {
    expect(finalFault(grpcError(status), 'doing')?.code).toBe(code);
  });

  it('takes what has no status for passing', () => {
    expect(finalFault(new Error('no credentials'), 'doing')).toBeUndefined();
    expect(finalFault('text', 'doing')).toBeUndefined();
  });
});

describe('isConflict', () => {
  it.each([
    [5, true],
    [6, true],
    [9, true],
    [10, false],
    [14, false],
  ])('status %d: %s', (status, expected) => {
    expect(isConflict(grpcError(status))).toBe(expected);
  });
});
