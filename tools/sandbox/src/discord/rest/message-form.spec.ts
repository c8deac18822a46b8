import { ApiError } from '../api-error.js';
import { checkNotEmpty, createMessageSchema, historyQuerySchema, readForm } from './message-form.js';

const refusal = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error instanceof ApiError ? error.toBody() : error;
  }
};

describe('readForm', () => {
  it('trims the content as Discord does', () => {
    expect(readForm(createMessageSchema, { content: ' \n x ' }).content).toBe('x');
    expect(readForm(createMessageSchema, { content: `${'x'.repeat(2_000)}\n` }).content).toHaveLength(2_000);
  });

  it('puts what is wrong under its field, in Discord´s shape', () => {
    const form = { content: 'x'.repeat(2_001), message_reference: {}, nonce: 'n'.repeat(26) };
    expect(refusal(() => readForm(createMessageSchema, form))).toMatchObject({
      code: 50035,
      message: 'Invalid Form Body',
      errors: {
        content: {
          _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 2000 or fewer in length.' }],
        },
        message_reference: { message_id: { _errors: [{ code: expect.any(String) as string }] } }, // jest's matcher is untyped
        nonce: { _errors: [{ code: expect.any(String) as string }] }, // jest's matcher is untyped
      },
    });
  });

  it.each([
    [{}, { limit: 50 }],
    [
      { limit: '100', after: '5' },
      { limit: 100, after: '5' },
    ],
  ])('reads the query %j', (query, expected) =>
    expect(readForm(historyQuerySchema, query)).toEqual(expected),
  );
  it.each([{ limit: '0' }, { limit: '101' }, { limit: 'x' }, { after: 'x' }])(
    'refuses the query %j',
    (query) => expect(() => readForm(historyQuerySchema, query)).toThrow('Invalid Form Body'),
  );
});

describe('checkNotEmpty', () => {
  it.each([
    [{ content: 'x', files: 0 }],
    [{ files: 1 }],
    [{ embeds: [{}], files: 0 }],
    [{ components: [{}], files: 0 }],
    [{ stickers: ['1'], files: 0 }],
  ])('lets %j pass', (form) => expect(() => checkNotEmpty(form)).not.toThrow());
  it.each([[{ files: 0 }], [{ content: '', embeds: [], components: null, files: 0 }]])('refuses %j', (form) =>
    expect(refusal(() => checkNotEmpty(form))).toMatchObject({ code: 50006 }),
  );
});
