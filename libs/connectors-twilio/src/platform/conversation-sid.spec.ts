import fc from 'fast-check';
import { canonicalConversationSid, isConversationSid } from './conversation-sid.js';

describe('canonicalConversationSid', () => {
  it('has one spelling for a SID, whatever its case', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9a-f]{32}$/),
        fc.array(fc.boolean(), { minLength: 32 }),
        (hex, upper) => {
          const written = Array.from(hex)
            .map((digit, i) => (upper[i] === true ? digit.toUpperCase() : digit))
            .join('');
          expect(canonicalConversationSid(`CH${written}`)).toBe(`CH${hex}`);
        },
      ),
    );
  });

  it('leaves what is no SID as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!isConversationSid(text));
        expect(canonicalConversationSid(text)).toBe(text);
      }),
    );
  });
});
