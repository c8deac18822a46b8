import { createSid, isSid } from './identifiers.js';

describe('SIDs', () => {
  it('are the prefix and 32 hexadecimal digits', () => {
    expect(createSid('CH', (bytes) => Buffer.alloc(bytes, 0xab))).toBe(`CH${'ab'.repeat(16)}`);
    expect(isSid('IM', createSid('IM'))).toBe(true);
  });

  it('are never the same twice', () => {
    const sids = new Set(Array.from({ length: 1_000 }, () => createSid('MB')));
    expect(sids.size).toBe(1_000);
  });

  it.each(['CH', `IM${'0'.repeat(32)}`, `CH${'0'.repeat(31)}`, `CH${'G'.repeat(32)}`])(
    '%s is no CH',
    (text) => {
      expect(isSid('CH', text)).toBe(false);
    },
  );
});
