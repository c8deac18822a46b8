import { account } from './account.js';
import { type AcceptedFact, type Facts, type OutcomeFact, type StandingFact } from '../facts.js';
import { readWords, wordsOf } from '../load/words.js';

const START = 1_000_000;

const event = (place: number, at: number, more: Partial<AcceptedFact> = {}): AcceptedFact => ({
  id: `event-${place}`,
  platform: 'twilio',
  destination: 'd',
  token: `e${place}`,
  words: 1,
  at,
  orderingKey: 'b01',
  ...more,
});
const outcome = (place: number, at: number, more: Partial<OutcomeFact> = {}): OutcomeFact => ({
  eventId: `event-${place}`,
  status: 'sent',
  code: undefined,
  attempts: 1,
  messageIds: [`id-${place}`],
  occurredAt: START + at,
  at,
  ...more,
});
const message = (place: number, at: number, id = `id-${place}`): StandingFact => ({
  id,
  wallTime: START + at,
  words: readWords(wordsOf(`e${place}`, 1)),
});
const trouble = (name: string, from: number, to: number): Facts['troubles'][number] => ({
  name,
  lane: name.split('.')[0] ?? '',
  from,
  to,
});
const retry = (at: number, code: string, tries = 1): Facts['retries'][number] => ({
  eventId: 'event-1',
  code,
  tries,
  delayMs: 1_000,
  at,
});
const born = { process: 1, platform: undefined, isConnected: false, isAlive: true, at: 0 };
const connection = (platform: string, isConnected: boolean, at: number): Facts['states'][number] => ({
  process: 1,
  platform,
  isConnected,
  isAlive: true,
  at,
});
const CONNECTED = [born, connection('twilio', true, 100), connection('twitch', true, 100)];
const on = (platform: string, ...messages: StandingFact[]): Facts['standing'] =>
  new Map([[platform, new Map([['d', messages]])]]);

const EMPTY: Facts = {
  startedAt: START,
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
  states: CONNECTED,
  retries: [],
  stalls: [],
  standing: new Map(),
};

/** An event of second 10 that came to stand at this moment. */
const sentAt = (at: number, more: Partial<Facts> = {}): Partial<Facts> => ({
  accepted: [event(1, 10_000)],
  outcomes: [outcome(1, at + 10)],
  standing: on('twilio', message(1, at)),
  ...more,
});
const gap = (from: number, to: number): Facts['gaps'][number] => ({
  platform: 'twitch',
  from: START + from,
  to: START + to,
  lost: undefined,
  at: to,
});
const expiring = (expiresAt: number): Facts['accepted'] => [
  event(1, 10_000, { expiresAt: START + expiresAt }),
];

const CASES: readonly (readonly [name: string, facts: Partial<Facts>, kinds: readonly string[]])[] = [
  ['takes what is sent at once', sentAt(11_900), []],
  ['notices what is late although nothing had gone wrong', sentAt(12_100), ['egress late']],
  ['grants what the machine itself stood still', sentAt(13_000, { stalls: [{ at: 12_000, ms: 200 }] }), []],
  [
    'begins to count when the fault is over',
    sentAt(21_900, { troubles: [trouble('twilio.slow', 9_000, 20_000)] }),
    [],
  ],
  [
    'notices what waits on after the fault',
    sentAt(22_100, { troubles: [trouble('twilio.slow', 9_000, 20_000)] }),
    ['egress late'],
  ],
  [
    'begins to count when the platform is connected again',
    sentAt(26_900, {
      troubles: [trouble('twilio.drop', 9_000, 9_000)],
      states: [...CONNECTED, connection('twilio', false, 9_500), connection('twilio', true, 25_000)],
    }),
    [],
  ],
  [
    'grants no back-off to what the connection wakes',
    sentAt(32_000, {
      troubles: [trouble('twilio.drop', 9_000, 9_000)],
      states: [...CONNECTED, connection('twilio', false, 9_500), connection('twilio', true, 25_000)],
      retries: [retry(24_000, 'NOT_CONNECTED', 5)],
    }),
    ['egress late'],
  ],
  [
    'grants the back-off after tries that the platform has refused',
    sentAt(40_000, {
      outcomes: [outcome(1, 40_010, { attempts: 4 })],
      troubles: [trouble('twilio.failing', 9_000, 20_000)],
    }),
    [],
  ],
  [
    'grants no more than that, and the time-out of a try that was in flight',
    sentAt(44_000, {
      outcomes: [outcome(1, 44_010, { attempts: 4 })],
      troubles: [trouble('twilio.failing', 9_000, 20_000)],
    }),
    ['egress late'],
  ],
  [
    'begins to count when the event before it is settled',
    {
      accepted: [event(1, 10_000), event(2, 10_001)],
      outcomes: [outcome(1, 19_900), outcome(2, 21_910)],
      standing: on('twilio', message(1, 19_800), message(2, 21_850)),
      troubles: [trouble('twilio.slow', 9_000, 19_000)],
    },
    [],
  ],
  [
    'grants the lease of what a lost connection had in hand',
    sentAt(35_000, { troubles: [trouble('bus.hang', 9_000, 12_000)] }),
    [],
  ],
  [
    'grants no lease to what was published when there was no connection',
    sentAt(35_000, { troubles: [{ ...trouble('bus.refuse', 5_000, 12_000), lendsUntil: 5_000 }] }),
    ['egress late'],
  ],
  [
    'notices what expires before its time, by one millisecond',
    {
      accepted: expiring(15_000),
      outcomes: [outcome(1, 15_100, { status: 'expired', messageIds: [], occurredAt: START + 14_999 })],
      troubles: [trouble('twilio.slow', 9_000, 20_000)],
    },
    ['egress expired early'],
  ],
  [
    'takes what expires then',
    {
      accepted: expiring(15_000),
      outcomes: [outcome(1, 15_100, { status: 'expired', messageIds: [], occurredAt: START + 15_000 })],
      troubles: [trouble('twilio.slow', 9_000, 20_000)],
    },
    [],
  ],
  [
    'notices what expires although nothing stood in its way',
    {
      accepted: expiring(30_000),
      outcomes: [outcome(1, 30_100, { status: 'expired', messageIds: [], occurredAt: START + 30_000 })],
    },
    ['egress late'],
  ],
  [
    'notices what is sent after it has expired',
    sentAt(16_100, { accepted: expiring(15_000), troubles: [trouble('bus.slow', 9_000, 15_900)] }),
    ['egress sent after expiry'],
  ],
  [
    'notices what stands although it has expired',
    {
      accepted: expiring(15_000),
      outcomes: [outcome(1, 15_100, { status: 'expired', messageIds: [], occurredAt: START + 15_000 })],
      standing: on('twilio', message(1, 14_000)),
      troubles: [trouble('twilio.slow', 9_000, 20_000)],
    },
    ['egress doubled'],
  ],
  [
    'refuses an expiry that nobody had asked for',
    {
      accepted: [event(1, 10_000)],
      outcomes: [outcome(1, 15_100, { status: 'expired', messageIds: [] })],
    },
    ['egress given up'],
  ],
  [
    'takes a gap that is as long as its fault',
    { gaps: [gap(8_000, 22_900)], troubles: [trouble('twitch.drop', 10_000, 20_000)] },
    [],
  ],
  [
    'notices a gap that goes on after it',
    { gaps: [gap(8_000, 23_100)], troubles: [trouble('twitch.drop', 10_000, 20_000)] },
    ['gap too long'],
  ],
  [
    'takes a gap that lasts until the slow retry of a connector that failed',
    {
      gaps: [gap(8_000, 80_900)],
      troubles: [trouble('twitch.any-status', 10_000, 20_000)],
      states: [...CONNECTED, { ...connection('twitch', false, 12_000), hasFailed: true }],
    },
    [],
  ],
  [
    'notices a gap that is dated long before it',
    { gaps: [gap(4_900, 21_000)], troubles: [trouble('twitch.drop', 10_000, 20_000)] },
    ['gap too long'],
  ],
  [
    'takes a gap whose beginning nobody knows where the store was away',
    {
      gaps: [gap(-START, 21_000)],
      troubles: [trouble('state.unavailable', 10_000, 20_000)],
    },
    [],
  ],
  [
    'notices a gap that begins long ago without such a cause',
    { gaps: [gap(-START, 41_000)], troubles: [trouble('twitch.drop', 39_000, 40_000)] },
    ['gap too long'],
  ],
  [
    'takes an unknown outcome of what has expired, and of nothing else',
    {
      accepted: [...expiring(15_000), event(2, 10_000, { destination: 'other', orderingKey: 'b02' })],
      outcomes: [
        outcome(1, 15_100, { status: 'unknown', messageIds: [] }),
        outcome(2, 15_100, { status: 'unknown', messageIds: [] }),
      ],
      troubles: [trouble('twilio.slow', 9_000, 20_000)],
    },
    ['egress missing'],
  ],
  [
    'takes for unknown what was in hand at three kills, and nothing else',
    {
      accepted: [event(1, 10_000), event(2, 25_000, { destination: 'other', orderingKey: 'b02' })],
      outcomes: [1, 2].map((place) => outcome(place, 55_000, { status: 'unknown', messageIds: [] })),
      deadLetters: ['event-1', 'event-2'],
      troubles: [20_000, 30_000, 40_000].map((at) => trouble('service.kill', at, at + 1_000)),
    },
    ['egress missing'],
  ],
  ['notices a gap without a fault', { gaps: [gap(40_000, 41_000)] }, ['gap too long']],
];

const equal = (copy: number, at: number): AcceptedFact => event(1, at, { id: `event-1:${copy}` });
const equalOutcome = (copy: number, messageId: string, status: OutcomeFact['status'] = 'sent'): OutcomeFact =>
  outcome(1, 11_000, { eventId: `event-1:${copy}`, messageIds: [messageId], status });
const TWICE: Partial<Facts> = { accepted: [equal(0, 10_000), equal(1, 10_001)] };

const EQUALS: typeof CASES = [
  [
    'finds two events with one text',
    {
      ...TWICE,
      outcomes: [equalOutcome(0, 'x'), equalOutcome(1, 'y')],
      standing: on('twilio', message(1, 10_500, 'x'), message(1, 10_900, 'y')),
    },
    [],
  ],
  [
    'misses one of them',
    {
      ...TWICE,
      outcomes: [equalOutcome(0, 'x'), equalOutcome(1, 'y')],
      standing: on('twilio', message(1, 10_500, 'x')),
    },
    ['egress outcome wrong', 'egress missing'],
  ],
  [
    'notices three of them',
    {
      ...TWICE,
      outcomes: [equalOutcome(0, 'x'), equalOutcome(1, 'y')],
      standing: on('twilio', message(1, 10_500, 'x'), message(1, 10_900, 'y'), message(1, 10_950, 'z')),
    },
    ['egress doubled'],
  ],
  [
    'notices that one message is claimed by both',
    {
      ...TWICE,
      outcomes: [equalOutcome(0, 'x'), equalOutcome(1, 'x')],
      standing: on('twilio', message(1, 10_500, 'x'), message(1, 10_900, 'y')),
    },
    ['egress outcome wrong'],
  ],
  [
    'notices two outcomes of one event',
    sentAt(10_500, { outcomes: [outcome(1, 10_510), outcome(1, 10_600)] }),
    ['egress outcome repeated'],
  ],
  [
    'takes the same outcome again from the bus after a fault',
    sentAt(10_500, {
      outcomes: [outcome(1, 10_510), outcome(1, 12_600)],
      troubles: [trouble('service.kill', 10_520, 11_000)],
    }),
    [],
  ],
  [
    'takes the same outcome again where the event was given up',
    {
      accepted: expiring(15_000),
      outcomes: [15_100, 30_000].map((at) => outcome(1, at, { status: 'expired', messageIds: [] })),
      troubles: [trouble('twilio.slow', 9_000, 20_000)],
    },
    [],
  ],
  [
    'takes no other outcome after a fault',
    sentAt(10_500, {
      outcomes: [outcome(1, 10_510), outcome(1, 12_600, { status: 'failed' })],
      troubles: [trouble('service.kill', 10_520, 11_000)],
    }),
    ['egress outcome repeated', 'egress given up'],
  ],
  [
    'takes the refusal of what cannot be fetched',
    {
      accepted: [event(1, 10_000, { isUnsendable: true })],
      outcomes: [outcome(1, 10_510, { status: 'failed', messageIds: [] })],
      deadLetters: ['event-1'],
    },
    [],
  ],
  [
    'notices that it was sent without its attachment, or failed without a dead letter',
    {
      accepted: [
        event(1, 10_000, { isUnsendable: true }),
        event(2, 10_000, { destination: 'other', orderingKey: 'b02', isUnsendable: true }),
      ],
      outcomes: [outcome(1, 10_510), outcome(2, 10_510, { status: 'failed', messageIds: [] })],
      standing: on('twilio', message(1, 10_500)),
    },
    ['egress not refused', 'egress doubled', 'egress not refused'],
  ],
  [
    'takes no unknown outcome of what cannot be fetched, for it was not sent',
    {
      accepted: [event(1, 10_000, { isUnsendable: true })],
      outcomes: [outcome(1, 10_510, { status: 'unknown', messageIds: [] })],
      troubles: [trouble('twilio.slow', 9_000, 12_000)],
    },
    ['egress not refused'],
  ],
  [
    'takes an unknown outcome of it where a process was killed that may have had it in hand',
    {
      accepted: [event(1, 10_000, { isUnsendable: true })],
      outcomes: [outcome(1, 10_510, { status: 'unknown', messageIds: [] })],
      troubles: [trouble('service.kill', 10_100, 10_300)],
    },
    [],
  ],
  [
    'takes an unknown outcome of it, after a refusal too, where a process stopped while the store was away',
    {
      accepted: [event(1, 10_000, { isUnsendable: true })],
      outcomes: [
        outcome(1, 10_510, { status: 'failed', messageIds: [] }),
        outcome(1, 14_000, { status: 'unknown', messageIds: [] }),
      ],
      deadLetters: ['event-1'],
      troubles: [trouble('state.unavailable', 11_000, 13_000), trouble('service.terminate', 12_000, 13_500)],
    },
    [],
  ],
  [
    'takes none of it where the process stopped with its store',
    {
      accepted: [event(1, 10_000, { isUnsendable: true })],
      outcomes: [outcome(1, 14_000, { status: 'unknown', messageIds: [] })],
      troubles: [trouble('state.unavailable', 10_100, 10_200), trouble('service.terminate', 12_000, 13_500)],
    },
    ['egress not refused'],
  ],
  [
    'takes a refusal while the platform answers with any status, if there is a dead letter',
    {
      accepted: [event(1, 10_000)],
      outcomes: [outcome(1, 10_510, { status: 'failed', messageIds: [] })],
      deadLetters: ['event-1'],
      troubles: [trouble('twilio.any-status', 9_000, 12_000)],
    },
    [],
  ],
  [
    'takes none without a dead letter',
    {
      accepted: [event(1, 10_000)],
      outcomes: [outcome(1, 10_510, { status: 'failed', messageIds: [] })],
      troubles: [trouble('twilio.any-status', 9_000, 12_000)],
    },
    ['egress given up'],
  ],
];

describe('accounting in time', () => {
  it.each([...CASES])('%s', (_, facts, kinds) => {
    expect(account({ ...EMPTY, ...facts }).findings.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('tells how long answers took from heal', () => {
    const facts = sentAt(20_700, { troubles: [trouble('twilio.slow', 9_000, 20_000)] });
    expect(account({ ...EMPTY, ...facts }).healMs).toEqual([700]);
  });
});

describe('accounting by id and number', () => {
  it.each([...EQUALS])('%s', (_, facts, kinds) => {
    expect(account({ ...EMPTY, ...facts }).findings.map(({ kind }) => kind)).toEqual(kinds);
  });
});
