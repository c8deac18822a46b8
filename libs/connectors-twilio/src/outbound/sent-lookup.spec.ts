import { markOf, SentLookup, toAttributes } from './sent-lookup.js';
import { type RestMessage } from '../platform/twilio-rest.js';

const mark = (eventId: string, part: number, parts: number): string =>
  JSON.stringify({ bitbrat: { eventId, part, parts } });
const message = (index: number, attributes: string | null = '{}', author = 'bot'): RestMessage => ({
  sid: `IM${index}`,
  index,
  author,
  attributes,
});

describe('SentLookup', () => {
  /** The newest first. */
  let messages: RestMessage[];
  let read: number;
  let lookup: SentLookup;

  beforeEach(() => {
    messages = [];
    read = 0;
    const newestMessages = async function* (): AsyncGenerator<RestMessage> {
      for (const item of messages) {
        read += 1;
        yield await Promise.resolve(item);
      }
    };
    lookup = new SentLookup({ newestMessages }, 'bot');
  });

  const found = async (eventId: string): Promise<[number, string][]> => [
    ...(await lookup.find('CH1', eventId)),
  ];
  const readBy = async (work: () => Promise<unknown>): Promise<number> => {
    const before = read;
    await work();
    return read - before;
  };

  it.each<[string, RestMessage[], [number, string][]]>([
    ['nothing', [], []],
    [
      'both parts',
      [message(2, mark('e', 2, 2)), message(1, mark('e', 1, 2))],
      [
        [2, 'IM2'],
        [1, 'IM1'],
      ],
    ],
    ['one part of two', [message(2, mark('e', 2, 2)), message(0)], [[2, 'IM2']]],
    ['another event', [message(1, mark('other', 1, 1))], []],
    ["somebody else's attributes", [message(1, mark('e', 1, 1), '+15550100')], []],
    ['no attributes', [message(1, null)], []],
  ])('finds %s', async (_, given, expected) => {
    messages = given;
    expect(await found('e')).toEqual(expected);
    expect(await found('e')).toEqual(expected);
  });

  it('stops as soon as it has every part, and knows no more then than it has read', async () => {
    messages = [message(9, mark('e', 1, 1)), message(8), message(7, mark('older', 1, 1))];
    expect(await readBy(() => found('e'))).toBe(1);
    expect(await found('older')).toEqual([[1, 'IM7']]);
  });

  it('looks at the newest 1,000 messages', async () => {
    messages = Array.from({ length: 2_000 }, (_, i) => message(2_000 - i));
    expect(await readBy(() => found('e'))).toBe(1_000);
  });

  describe('that has read a conversation', () => {
    beforeEach(async () => {
      messages = Array.from({ length: 1_000 }, (_, i) => message(999 - i, mark(`e${999 - i}`, 1, 1)));
      await found('none');
    });

    it('says so, and tells what it remembers without asking', () => {
      const before = read;
      expect([lookup.hasRead('CH1'), lookup.hasRead('CH2')]).toEqual([true, false]);
      expect([...lookup.remembered('CH1', 'e5')]).toEqual([[1, 'IM5']]);
      expect(lookup.remembered('CH2', 'e5').size).toBe(0);
      expect(read).toBe(before);
    });

    it('asks nobody about what it has seen', async () => {
      expect(await readBy(() => found('e5'))).toBe(0);
      expect(await found('e5')).toEqual([[1, 'IM5']]);
    });

    it('reads what is new, and a little of the rest', async () => {
      messages = [message(1_000, mark('new', 1, 1)), ...messages];
      expect(await readBy(() => found('none'))).toBeLessThan(100);
      expect(await found('new')).toEqual([[1, 'IM1000']]);
      expect(await found('e5')).toEqual([[1, 'IM5']]);
    });

    it('finds what shows up behind a newer message', async () => {
      messages = [message(1_001), ...messages];
      expect(await found('late')).toEqual([]);
      messages.splice(1, 0, message(1_000, mark('late', 1, 1)));
      expect(await found('late')).toEqual([[1, 'IM1000']]);
    });

    it('reads on behind a few messages that stand out of their order', async () => {
      messages = [message(3), message(2), message(1_000, mark('new', 1, 1)), ...messages];
      expect(await found('new')).toEqual([[1, 'IM1000']]);
    });

    it('looks at each conversation for itself', async () => {
      expect(await readBy(() => lookup.find('CH2', 'e5'))).toBe(995);
    });
  });

  it('learns nothing from a listing that fails', async () => {
    let isBroken = true;
    const newestMessages = async function* (): AsyncGenerator<RestMessage> {
      yield await Promise.resolve(message(9));
      if (isBroken) throw new Error('not well');
      yield message(8, mark('e', 1, 1));
    };
    lookup = new SentLookup({ newestMessages }, 'bot');
    await expect(found('e')).rejects.toThrow('not well');
    isBroken = false;
    expect(await found('e')).toEqual([[1, 'IM8']]);
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
