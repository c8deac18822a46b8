import { toChannelGaps } from './channel-gaps.js';

const NOW = Date.parse('2026-01-01T00:10:00.000Z');
const at = (seconds: number): number => NOW - 600_000 + seconds * 1_000;
const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

describe('toChannelGaps', () => {
  it('is one gap for the channels that are out since the same moment, the longest first', () => {
    const absences = new Map([
      ['a', at(60)],
      ['b', at(0)],
      ['c', at(60)],
    ]);
    expect(toChannelGaps(absences, NOW, at(300))).toEqual([
      { from: iso(0), to: iso(300), reason: 'the bot was not in #b' },
      { from: iso(60), to: iso(300), reason: 'the bot was not in #a, #c' },
    ]);
  });

  it('is none where the gap of all channels begins earlier', () => {
    const absences = new Map([
      ['a', at(60)],
      ['b', at(61)],
    ]);
    expect(toChannelGaps(absences, NOW, at(60))).toEqual([]);
    expect(toChannelGaps(absences, NOW, 0)).toEqual([]);
  });

  it('does not say how long it was when the clock was set back meanwhile', () => {
    expect(toChannelGaps(new Map([['a', at(601)]]), NOW, at(300))).toEqual([
      {
        from: '1970-01-01T00:00:00.000Z',
        to: iso(300),
        reason: expect.stringMatching(/^the bot was not in #a; the machine's clock was set back/) as string,
      },
    ]);
  });
});
