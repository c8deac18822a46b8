import { account } from './account.js';
import { type AcceptedFact, type Facts, type PublishedFact, type WrittenFact } from '../facts.js';
import { type FindingKind } from './verdict.js';
import { readWords, wordsOf } from '../load/words.js';

const written = (place: number, platform = 'twilio'): WrittenFact => ({
  platform,
  channel: 'c',
  id: `${platform}:${place}`,
  token: `m${place}`,
  wallTime: place * 10_000,
});
const published = (place: number, busId = `b${place}`, platform = 'twilio'): PublishedFact => ({
  id: `${platform}:${place}`,
  busId,
  channel: 'c',
  token: `m${place}`,
});
const accepted = (place: number, words = 2, platform = 'twilio'): AcceptedFact => ({
  id: `event-${place}`,
  platform,
  destination: 'd',
  token: `e${place}`,
  words,
  at: place * 1_000,
  orderingKey: 'b01',
});

/** In the channel of all; the run began at 0. */
const deletion = (at: number): Facts['deletions'][number] => ({
  platform: 'twilio',
  channel: 'c',
  at,
  wallTime: at,
});
const refusal = (place: number, at: number): Facts['outcomes'][number] => ({
  eventId: `event-${place}`,
  status: 'failed',
  code: 'TARGET_NOT_FOUND',
  attempts: 1,
  messageIds: [],
  occurredAt: at,
  at,
});

const EMPTY: Facts = {
  startedAt: 0,
  promises: new Map([
    ['twilio', { inbound: 'complete', outbound: 'once' }],
    ['twitch', { inbound: 'gaps', outbound: 'unknown' }],
  ]),
  written: [],
  published: [],
  accepted: [],
  outcomes: [],
  deadLetters: [],
  gaps: [],
  troubles: [],
  deletions: [],
  borders: [],
  states: [],
  retries: [],
  stalls: [],
  standing: new Map(),
};
const sent = (place: number, at = place * 1_000 + 100): Facts['outcomes'][number] => ({
  eventId: `event-${place}`,
  status: 'sent',
  code: undefined,
  attempts: 1,
  messageIds: [],
  occurredAt: at,
  at,
});
/** Messages in one destination: `[text, seconds]`, or a text where the time does not matter. */
const standing = (platform: string, ...texts: (string | [text: string, at: number])[]): Facts['standing'] => {
  const messages = texts.map((given, i) => {
    const [text, wallTime] = typeof given === 'string' ? [given, 0] : given;
    return { id: `s${i}`, wallTime, words: readWords(text) };
  });
  return new Map([[platform, new Map([['d', messages]])]]);
};

interface Case {
  readonly name: string;
  readonly facts: Partial<Facts>;
  readonly kinds: readonly FindingKind[];
  readonly counts?: Partial<ReturnType<typeof account>['counts']>;
}

const INGRESS: readonly Case[] = [
  {
    name: 'takes a repeated publication for what it is',
    facts: { written: [written(1)], published: [published(1), published(1, 'again')] },
    kinds: [],
    counts: { written: 1, published: 1, repeats: 1 },
  },
  {
    name: 'takes a repetition of an earlier one behind a later one',
    facts: {
      written: [written(1), written(2)],
      published: [published(1), published(2), published(1, 'again')],
    },
    kinds: [],
  },
  { name: 'misses what was not published', facts: { written: [written(1)] }, kinds: ['ingress missing'] },
  {
    name: 'refuses what nobody wrote',
    facts: { published: [published(7)] },
    kinds: ['ingress invented'],
  },
  {
    name: 'refuses another text',
    facts: { written: [written(1)], published: [{ ...published(1), token: 'm9' }] },
    kinds: ['ingress changed'],
  },
  {
    name: 'refuses first publications out of order',
    facts: { written: [written(1), written(2)], published: [published(2), published(1)] },
    kinds: ['ingress out of order'],
  },
  {
    name: 'counts what two processes side by side have published in another order',
    facts: {
      written: [written(1), written(2)],
      published: [published(2), published(1)],
      troubles: [{ name: 'service.deploy', lane: 'service', isOverlap: true, from: 9_000, to: 21_000 }],
    },
    kinds: [],
    counts: { 'overtaken in a deploy': 1 },
  },
  {
    name: 'excuses what lies in a reported gap, where the platform has no history',
    facts: {
      written: [written(1, 'twitch')],
      gaps: [{ platform: 'twitch', from: 9_500, to: 10_500, lost: undefined, at: 0 }],
    },
    kinds: [],
    counts: { 'lost in reported gaps': 1, gaps: 1 },
  },
  {
    name: 'does not excuse what lies outside of it',
    facts: {
      written: [written(1, 'twitch')],
      gaps: [{ platform: 'twitch', from: 20_000, to: 30_000, lost: undefined, at: 0 }],
    },
    kinds: ['ingress missing'],
  },
  {
    name: 'does not excuse what was written before something that was heard, however long the gap says that it is',
    facts: {
      written: [written(1, 'twitch'), written(2, 'twitch'), written(3, 'twitch')],
      published: [published(2, 'b', 'twitch')],
      gaps: [{ platform: 'twitch', from: 0, to: 31_000, lost: undefined, at: 0 }],
    },
    kinds: ['ingress missing'],
    counts: { 'lost in reported gaps': 1 },
  },
  ...(
    [
      [
        'excuses what was missed before a process that stood still at the end of the gap heard the rest',
        15_000,
        true,
      ],
      ['does not excuse it where the process was ended, for that one hears nothing', 15_000, false],
      [
        'does not excuse what was missed before something that was heard when the process did not stand still yet',
        25_000,
        true,
      ],
    ] as const
  ).map(([name, from, isStandstill]): Case => ({
    name,
    facts: {
      written: [written(1, 'twitch'), written(2, 'twitch')],
      published: [published(2, 'b', 'twitch')],
      gaps: [{ platform: 'twitch', from: 0, to: 31_000, lost: undefined, at: 0 }],
      troubles: [
        { name: 'twitch.x', lane: 'twitch', from: 2_000, to: 2_000 },
        { name: 'service.x', lane: 'service', isStandstill, from, to: 30_000 },
      ],
    },
    kinds: from === 15_000 && isStandstill ? [] : ['ingress missing'],
  })),
  {
    name: 'excuses as many as a gap says that it has cost, others between them or not',
    facts: {
      written: [written(1, 'twitch'), written(2, 'twitch'), written(3, 'twitch')],
      published: [published(2, 'b', 'twitch')],
      gaps: [{ platform: 'twitch', from: 0, to: 40_000, lost: 2, at: 0 }],
    },
    kinds: [],
    counts: { 'lost in reported gaps': 2 },
  },
  {
    name: 'refuses a gap that has cost less than it says',
    facts: {
      written: [written(1, 'twitch'), written(2, 'twitch')],
      published: [published(2, 'b', 'twitch')],
      gaps: [{ platform: 'twitch', from: 0, to: 40_000, lost: 2, at: 0 }],
    },
    kinds: ['ingress loss miscounted'],
  },
  {
    name: 'refuses a gap that has cost more than it says',
    facts: {
      written: [written(1, 'twitch'), written(2, 'twitch')],
      gaps: [{ platform: 'twitch', from: 0, to: 40_000, lost: 1, at: 0 }],
    },
    kinds: ['ingress loss miscounted'],
  },
  {
    name: 'excuses what was deleted before it could be read',
    facts: { written: [written(1), written(2)], deletions: [deletion(20_000)] },
    kinds: ['ingress missing'],
    counts: { 'deleted unread': 1 },
  },
  {
    name: 'excuses what was deleted before the service had been left in peace, but not what nobody disturbed',
    facts: {
      written: [written(0), written(1)],
      troubles: [
        { name: 'bus.x', lane: 'bus', from: 12_000, to: 15_000 },
        { name: 'twitch.x', lane: 'twitch', from: 0, to: 20_000 },
      ],
      deletions: [deletion(44_000)],
    },
    kinds: ['ingress missing'],
    counts: { 'deleted unread': 1 },
  },
  {
    name: 'does not excuse what was written after a deletion, or in another channel',
    facts: { written: [written(3), { ...written(1), channel: 'other' }], deletions: [deletion(20_000)] },
    kinds: ['ingress missing', 'ingress missing'],
  },
  {
    name: 'refuses what a later run publishes again',
    facts: {
      written: [written(1), written(2)],
      published: [published(1), published(2), published(2, 'same run'), published(1, 'later')],
      borders: [{ written: 1, published: 1 }],
    },
    kinds: ['ingress repeated by a later run'],
    counts: { repeats: 2 },
  },
  {
    name: 'does not excuse a platform that keeps the history',
    facts: {
      written: [written(1)],
      gaps: [{ platform: 'twilio', from: 9_500, to: 10_500, lost: undefined, at: 0 }],
    },
    kinds: ['ingress missing'],
  },
];

const EGRESS: readonly Case[] = [
  {
    name: 'finds what was split',
    facts: {
      accepted: [accepted(1, 4)],
      outcomes: [sent(1)],
      standing: standing('twilio', 'e1.0 e1.1', 'e1.2 e1.3'),
    },
    kinds: [],
    counts: { accepted: 1, standing: 1 },
  },
  {
    name: 'misses what does not stand',
    facts: { accepted: [accepted(1)], outcomes: [sent(1)] },
    kinds: ['egress missing'],
  },
  {
    name: 'misses a part',
    facts: { accepted: [accepted(1)], outcomes: [sent(1)], standing: standing('twilio', 'e1.0') },
    kinds: ['egress missing'],
  },
  {
    name: 'notices what stands twice',
    facts: {
      accepted: [accepted(1)],
      outcomes: [sent(1)],
      standing: standing('twilio', wordsOf('e1', 2), wordsOf('e1', 2)),
    },
    kinds: ['egress doubled'],
  },
  {
    name: 'refuses what nobody sent',
    facts: { standing: standing('twilio', 'e9.0') },
    kinds: ['egress invented'],
  },
  {
    name: 'refuses what stands on another platform',
    facts: { accepted: [accepted(1)], outcomes: [sent(1)], standing: standing('twitch', wordsOf('e1', 2)) },
    kinds: ['egress invented', 'egress missing'],
  },
  {
    name: 'misses an outcome',
    facts: { accepted: [accepted(1)], standing: standing('twilio', wordsOf('e1', 2)) },
    kinds: ['egress without outcome'],
  },
  {
    name: 'notices what was given up',
    facts: { accepted: [accepted(1)], outcomes: [{ ...sent(1), status: 'failed' }] },
    kinds: ['egress given up'],
  },
  {
    name: 'refuses another order',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(1), sent(2)],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: ['egress out of order'],
  },
  {
    name: 'excuses another order where the bus took a message back in between',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(2), sent(1, 9_000)],
      troubles: [{ name: 'bus.x', lane: 'bus', from: 1_500, to: 1_600 }],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: [],
    counts: { 'reordered by redelivery': 1 },
  },
  {
    name: 'excuses no other order where the later one was settled before anything was disturbed',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(2), sent(1, 9_000)],
      troubles: [{ name: 'bus.x', lane: 'bus', from: 3_000, to: 3_100 }],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: ['egress out of order'],
  },
  {
    name: 'excuses another order after one disturbance upon another',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(2), sent(1, 100_000)],
      troubles: [
        { name: 'service.x', lane: 'service', from: 50_000, to: 51_000 },
        { name: 'bus.x', lane: 'bus', from: 1_500, to: 1_600 },
      ],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: [],
    counts: { 'reordered by redelivery': 1 },
  },
  {
    name: 'grants a redelivery what the machine itself stood still',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(2), sent(1, 70_000)],
      troubles: [{ name: 'bus.x', lane: 'bus', from: 1_500, to: 1_600 }],
      stalls: [{ at: 30_000, ms: 2_000 }],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: [],
    counts: { 'reordered by redelivery': 1 },
  },
  {
    name: 'excuses no other order long after the disturbance',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(2), sent(1, 70_000)],
      troubles: [{ name: 'bus.x', lane: 'bus', from: 1_500, to: 1_600 }],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: ['egress out of order'],
  },
  {
    name: 'takes the refusal of what was sent to a deleted conversation, with its dead letter',
    facts: {
      accepted: [accepted(1)],
      outcomes: [refusal(1, 1_500)],
      deadLetters: ['event-1'],
      deletions: [{ ...deletion(900), channel: 'd' }],
    },
    kinds: [],
    counts: { 'refused as deleted': 1 },
  },
  {
    name: 'takes no refusal without a dead letter, before the deletion, or for another reason',
    facts: {
      accepted: [accepted(1), accepted(2), accepted(3)],
      outcomes: [refusal(1, 2_500), refusal(2, 2_100), { ...refusal(3, 9_000), code: 'TIMEOUT' }],
      deadLetters: ['event-2', 'event-3'],
      deletions: [{ ...deletion(2_200), channel: 'd' }],
    },
    kinds: ['egress given up', 'egress given up', 'egress given up'],
  },
  {
    name: 'takes an unknown outcome where the platform cannot tell',
    facts: {
      accepted: [accepted(1, 2, 'twitch')],
      outcomes: [{ ...sent(1), status: 'unknown' }],
      troubles: [{ name: 'twitch.x', lane: 'twitch', from: 500, to: 500 }],
    },
    kinds: [],
    counts: { unknown: 1 },
  },
  {
    name: 'does not judge the place of a line whose answer was lost',
    facts: {
      accepted: [accepted(1, 2, 'twitch'), accepted(2, 2, 'twitch')],
      outcomes: [{ ...sent(1), status: 'unknown' }, sent(2)],
      troubles: [{ name: 'twitch.x', lane: 'twitch', from: 500, to: 500 }],
      standing: standing('twitch', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: [],
    counts: { unknown: 1 },
  },
  {
    name: 'takes no unknown outcome where nothing had gone wrong',
    facts: {
      accepted: [accepted(1, 2, 'twitch')],
      outcomes: [{ ...sent(1), status: 'unknown' }],
      troubles: [{ name: 'twilio.x', lane: 'twilio', from: 500, to: 500 }],
    },
    kinds: ['egress unknown without cause'],
  },
  {
    name: 'excuses no other order because of trouble elsewhere',
    facts: {
      accepted: [accepted(1), accepted(2)],
      outcomes: [sent(2), sent(1, 9_000)],
      troubles: [{ name: 'twilio.x', lane: 'twilio', from: 1_500, to: 1_600 }],
      standing: standing('twilio', wordsOf('e2', 2), wordsOf('e1', 2)),
    },
    kinds: ['egress out of order'],
  },
  {
    name: 'takes no unknown outcome where it can',
    facts: { accepted: [accepted(1)], outcomes: [{ ...sent(1), status: 'unknown' }] },
    kinds: ['egress unknown without cause', 'egress missing'],
  },
];

describe('accounting', () => {
  it.each([...INGRESS, ...EGRESS])('$name', ({ counts, facts, kinds }) => {
    const verdict = account({ ...EMPTY, ...facts });
    expect(verdict.findings.map(({ kind }) => kind)).toEqual(kinds);
    expect(verdict.counts).toMatchObject(counts ?? {});
  });
});
