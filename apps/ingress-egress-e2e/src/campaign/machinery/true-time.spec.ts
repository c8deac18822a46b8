import { toTrueGap } from './true-time.js';

const SETTINGS = [
  { from: 0, clockMs: 0 },
  { from: 100_000, clockMs: 600_000 },
  { from: 110_000, clockMs: 0 },
  { from: 200_000, clockMs: -90_000 },
  { from: 210_000, clockMs: 0 },
];

describe('the true time of a gap', () => {
  it.each([
    ['while the clock is right', { from: 50_000, to: 60_000 }, 61_000, { from: 50_000, to: 60_000 }],
    ['while it is ahead', { from: 702_000, to: 705_000 }, 105_000, { from: 102_000, to: 105_000 }],
    [
      'dated early, when it had just been set',
      { from: 698_000, to: 705_000 },
      106_000,
      { from: 98_000, to: 105_000 },
    ],
    ['told in the same moment', { from: 702_000, to: 705_003 }, 105_000, { from: 102_000, to: 105_003 }],
    ['set in between', { from: 95_000, to: 705_000 }, 140_000, { from: 95_000, to: 105_000 }],
    ['while it is behind', { from: 115_000, to: 116_000 }, 220_000, { from: 115_000, to: 206_000 }],
    ['long after it was ahead', { from: 703_000, to: 705_000 }, 706_000, { from: 703_000, to: 705_000 }],
    ['before it was behind', { from: 110_500, to: 115_500 }, 120_000, { from: 110_500, to: 115_500 }],
  ])('%s', (_, shown, reportedAt, real) => {
    const gap = { platform: 'twitch', lost: undefined, at: 0, ...shown };
    expect(toTrueGap(gap, SETTINGS, reportedAt)).toMatchObject(real);
  });
});
