import { MAX_ATTRIBUTE_BYTES, toAttributes } from './attributes.js';

const input = {
  id: 'twilio:IM1',
  source: '/connectors/twilio',
  type: 'chat.message.v1',
  time: '2026-03-01T12:00:00Z',
};
const required = {
  'ce-specversion': '1.0',
  'ce-id': 'twilio:IM1',
  'ce-source': '/connectors/twilio',
  'ce-type': 'chat.message.v1',
  'ce-time': '2026-03-01T12:00:00Z',
};

describe('toAttributes', () => {
  it('sets what CloudEvents 1.0 requires and nothing that is not known', () => {
    expect(toAttributes(input)).toEqual(required);
    expect(toAttributes({ ...input, subject: undefined, traceparent: '' })).toEqual(required);
  });

  it.each([
    ['at the limit', 'x'.repeat(MAX_ATTRIBUTE_BYTES), true],
    ['one byte over it', 'x'.repeat(MAX_ATTRIBUTE_BYTES + 1), false],
    ['over it in bytes, not in characters', 'é'.repeat(MAX_ATTRIBUTE_BYTES / 2 + 1), false],
  ])('a subject %s is whole or left out', (_name, subject, kept) => {
    expect(toAttributes({ ...input, subject })).toEqual(
      kept ? { ...required, 'ce-subject': subject } : required,
    );
  });
});
