import { correlationIdOf, envelopeId, uuidV5 } from './identifiers.js';

const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

describe('uuidV5', () => {
  it('makes the example of RFC 9562, appendix A.4', () => {
    expect(uuidV5('www.example.com', DNS)).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });

  it('sets version and variant for any name', () => {
    for (const name of ['', 'a', 'ä', '👨‍👩‍👧‍👦', 'x'.repeat(10_000)]) {
      expect(uuidV5(name, DNS)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }
  });
});

describe('envelopeId', () => {
  it.each([
    [['twilio', 'IM1'] as const, 'twilio:IM1'],
    [['discord', '123', 'edit-7'] as const, 'discord:123:edit-7'],
  ])('%j is %s', ([source, nativeId, revision], expected) => {
    expect(envelopeId(source, nativeId, revision)).toBe(expected);
  });
});

describe('correlationIdOf', () => {
  it.each([
    ['twilio:IM1', 'eebb232c-e605-5ece-9f29-2ac1c043c691'],
    ['discord:123', '0f781289-adab-5cca-8607-9ab9b91ef562'],
  ])('%s is the same in every process and release', (id, expected) => {
    expect(correlationIdOf(id)).toBe(expected);
  });
});
