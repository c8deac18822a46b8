import fc from 'fast-check';
import { egressEventSchema } from '@bitbrat/envelope';
import { answerId, toAnswer } from './answer.js';
import { BotError } from './bot-error.js';
import { People } from './testing/people.js';

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,10}){0,3}$/);
const envelopeId = fc.string({ minLength: 3, maxLength: 250 });
const key = fc.string({ maxLength: 300 });

describe('the id of an answer', () => {
  it('is the same for the same message and key, and fits into the contract', () => {
    fc.assert(
      fc.property(name, envelopeId, key, (bot, id, which) => {
        const made = answerId(bot, id, which);
        expect(answerId(bot, id, which)).toBe(made);
        expect(made.length).toBeLessThanOrEqual(256);
        expect(made.startsWith(`reply:${bot}:`)).toBe(true);
      }),
    );
  });

  it('is another for another bot, message or key', () => {
    const ids = ['a', 'b'].flatMap((bot) =>
      ['twilio:1', 'x'.repeat(250)].flatMap((id) =>
        ['', '2', 'shipped'].map((which) => answerId(bot, id, which)),
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('an answer', () => {
  const envelope = new People().sms('hello');
  const answer = (text: string, options = {}): unknown =>
    toAnswer('orders', envelope, text, { key: '', ...options });

  it('is an egress event of the contract, to where the message came from', () => {
    expect(answer('hi', { expiresAt: new Date(0), metadata: { order: 1 } })).toEqual({
      v: '1',
      id: `reply:orders:${envelope.id}`,
      type: 'chat.send.v1',
      target: { connector: 'twilio', destination: envelope.replyTo.destination },
      text: 'hi',
      attachments: [],
      inReplyTo: envelope.replyTo.inReplyTo,
      correlationId: envelope.correlationId,
      expiresAt: '1970-01-01T00:00:00.000Z',
      metadata: { order: 1 },
    });
  });

  it.each([
    ['no text and no file', '', {}, /text: expected text or an attachment/],
    ['blanks', ' \n', {}, /text: expected text or an attachment/],
    ['a text that is too long', 'x'.repeat(100_001), {}, /text: 100001 UTF-16 code units/],
    ['no string', 7 as unknown as string, {}, /text: expected a string/], // as from JavaScript
    [
      'a file without a web address',
      'x',
      { attachments: [{ url: 'file:///etc/passwd' }] },
      /attachments.0.url/,
    ],
    ['a time that is none', 'x', { expiresAt: new Date('never') }, /expiresAt: expected a valid Date/],
    ['facts that are no JSON', 'x', { metadata: { at: new Date() } }, /metadata/],
  ])('refuses %s, without its value', (_what, text, options, expected) => {
    expect(() => answer(text, options)).toThrow(BotError);
    expect(() => answer(text, options)).toThrow(expected);
    expect(() => answer(text, options)).not.toThrow(/passwd/);
  });

  it('is valid for any text that is not blank', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(text.trim() !== '');
        expect(egressEventSchema.safeParse(answer(text)).success).toBe(true);
      }),
    );
  });
});
