import { findSentParts, markOf, toAttributes } from './sent-lookup.js';
import { type RestMessage } from './twilio-rest.js';

const mark = (eventId: string, part: number, parts: number): string =>
  JSON.stringify({ bitbrat: { eventId, part, parts } });
const message = (sid: string, attributes: string | null, author = 'bot'): RestMessage => ({
  sid,
  author,
  attributes,
});

/** Counts how far it was read. */
async function* list(messages: Iterable<RestMessage>, read: { count: number }): AsyncGenerator<RestMessage> {
  for (const item of messages) {
    read.count += 1;
    yield await Promise.resolve(item);
  }
}

describe('findSentParts', () => {
  it.each<[string, RestMessage[], [number, string][]]>([
    ['nothing', [], []],
    [
      'both parts',
      [message('IM2', mark('e', 2, 2)), message('IM1', mark('e', 1, 2))],
      [
        [2, 'IM2'],
        [1, 'IM1'],
      ],
    ],
    ['one part of two', [message('IM2', mark('e', 2, 2)), message('IM0', '{}')], [[2, 'IM2']]],
    ['another event', [message('IM1', mark('other', 1, 1))], []],
    ["somebody else's attributes", [message('IM1', mark('e', 1, 1), '+15550100')], []],
    ['no attributes', [message('IM1', null)], []],
  ])('finds %s', async (_, messages, expected) => {
    const found = await findSentParts(list(messages, { count: 0 }), 'bot', 'e');
    expect([...found]).toEqual(expected);
  });

  it('stops as soon as it has every part', async () => {
    const read = { count: 0 };
    const messages = [message('IM9', mark('e', 1, 1)), message('IM8', '{}'), message('IM7', '{}')];
    await findSentParts(list(messages, read), 'bot', 'e');
    expect(read.count).toBe(1);
  });

  it('looks at the newest 1,000 messages', async () => {
    const read = { count: 0 };
    const messages = Array.from({ length: 2_000 }, (_, i) => message(`IM${i}`, '{}'));
    await findSentParts(list(messages, read), 'bot', 'e');
    expect(read.count).toBe(1_000);
  });
});

describe('markOf', () => {
  it.each([
    '',
    'null',
    'not JSON',
    '[]',
    '{"bitbrat":null}',
    '{"bitbrat":{"eventId":1,"part":1,"parts":1}}',
    '{"bitbrat":{"eventId":"e","part":"1","parts":1}}',
  ])('finds none in %p', (attributes) => {
    expect(markOf(attributes)).toBeUndefined();
  });
});

describe('toAttributes', () => {
  it.each([
    ['the whole mark', { eventId: 'e', part: 1, parts: 2, correlationId: 'c' }, 'c'],
    [
      'no correlation id that the platform has no room for',
      { eventId: 'e', part: 1, parts: 2, correlationId: 'ü'.repeat(2_100) },
      undefined,
    ],
  ])('holds %s', (_, mark, correlationId) => {
    const text = JSON.stringify(toAttributes(mark));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
    expect(markOf(text)).toEqual({
      eventId: 'e',
      part: 1,
      parts: 2,
      ...(correlationId === undefined ? {} : { correlationId }),
    });
  });
});
