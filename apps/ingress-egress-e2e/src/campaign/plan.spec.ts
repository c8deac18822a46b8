import { type Fault, selectFaults } from './fault.js';
import { makePlan, type PlanInput } from './plan.js';
import { Random } from './random.js';
import { parseOptions } from './options.js';

const fault = (name: string): Fault => ({
  name,
  weight: 1,
  lastsMs: [1_000, 2_000],
  quick: true,
  cause: () => undefined,
});
const FAULTS = [fault('twilio.drop'), fault('twilio.slow'), fault('service.kill')];
const INPUT: PlanInput = {
  seed: 7,
  spanMs: 120_000,
  rate: 5,
  platforms: [
    {
      name: 'twilio',
      load: {
        people: 4,
        newcomers: 0.1,
        weight: 3,
        answered: 0.5,
        unasked: 0.5,
        sendLimit: 2,
        attachments: 0,
        longWords: 500,
      },
    },
    {
      name: 'discord',
      load: {
        people: 4,
        newcomers: 0,
        weight: 1,
        answered: 0.5,
        unasked: 0.1,
        sendLimit: 2,
        attachments: 0,
        longWords: 500,
      },
    },
  ],
  faults: FAULTS,
};

describe('a plan', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(makePlan(INPUT)).toEqual(makePlan(INPUT));
    expect(makePlan({ ...INPUT, seed: 8 })).not.toEqual(makePlan(INPUT));
  });

  it('keeps to the rate, in the order of time, within its span', () => {
    const plan = makePlan(INPUT);
    const writes = plan.filter(({ kind }) => kind === 'write');
    expect(writes.length).toBeGreaterThan(500);
    expect(writes.length).toBeLessThan(700);
    const times = plan.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(0);
  });

  it('sends no more than the platform takes', () => {
    const bySender = makePlan(INPUT).filter(
      (step) =>
        step.kind !== 'fault' &&
        step.platform === 'twilio' &&
        (step.kind === 'send' || step.answer.words > 0),
    );
    // Two a second for two minutes, without which there would be 450.
    expect(bySender.length).toBeGreaterThan(190);
    expect(bySender.length).toBeLessThan(290);
  });

  it('gives every text a token of its own, and uses some texts twice for one destination, most within 30 s', () => {
    const steps = makePlan(INPUT).filter((step) => step.kind !== 'fault');
    const byToken = new Map<string, (typeof steps)[number]>();
    const equal = steps.filter((step) => {
      const first = byToken.get(step.token);
      if (first === undefined) byToken.set(step.token, step);
      else
        expect([step.platform, step.person, step.kind]).toEqual([first.platform, first.person, first.kind]);
      return first !== undefined && step.at - first.at < 30_000;
    });
    expect(equal.length).toBeGreaterThan(10);
    expect(byToken.size).toBeGreaterThan(steps.length * 0.9);
  });

  it('has events that expire, and events with no ordering key that come twice at once', () => {
    const plan = makePlan({ ...INPUT, spanMs: 600_000 });
    const sends = plan.flatMap((step) => (step.kind === 'send' ? [step] : []));
    expect(sends.filter(({ expiresInMs }) => expiresInMs !== undefined).length).toBeGreaterThan(5);
    const copied = sends.filter(
      ({ isOrdered, repeatAfterMs = Infinity }) => !isOrdered && repeatAfterMs < 1_000,
    );
    expect(copied.length).toBeGreaterThan(3);
  });

  it('attaches what cannot be fetched, for a while', () => {
    const [twilio, discord] = INPUT.platforms;
    if (twilio === undefined || discord === undefined) throw new Error('two platforms are expected');
    const load = { ...discord.load, attachments: 0.5, unasked: 1 };
    const plan = makePlan({ ...INPUT, platforms: [twilio, { name: 'discord', load }] });
    const attached = plan.flatMap((step) =>
      step.kind === 'send' && step.attachment !== undefined ? [step] : [],
    );
    expect(attached.length).toBeGreaterThan(10);
    expect(attached.every(({ expiresInMs = Infinity }) => expiresInMs < 10_000)).toBe(true);
  });

  it('has one fault of a lane at a time', () => {
    const faults = makePlan(INPUT).flatMap((step) => (step.kind === 'fault' ? [step] : []));
    expect(new Set(faults.map((step) => step.fault.name))).toEqual(new Set(FAULTS.map(({ name }) => name)));
    const own = faults.filter((step) => step.fault.name.startsWith('twilio.'));
    for (const [i, step] of own.entries()) {
      const before = own[i - 1];
      if (before !== undefined) expect(step.at).toBeGreaterThan(before.at + before.durationMs);
    }
  });

  it('leaves the load as it is where faults are left out', () => {
    const load = (input: PlanInput): unknown => makePlan(input).filter(({ kind }) => kind !== 'fault');
    expect(load({ ...INPUT, faults: [] })).toEqual(load(INPUT));
  });
});

describe('random numbers', () => {
  it('are spread evenly', () => {
    const random = new Random(1);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i += 1) {
      const bucket = random.int(0, 9);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

describe('choosing faults', () => {
  it.each([
    [['all'], FAULTS.map(({ name }) => name)],
    [['none'], []],
    [['twilio'], ['twilio.drop', 'twilio.slow']],
    [['service.kill'], ['service.kill']],
  ])('%j', (selection, names) => {
    expect(selectFaults(FAULTS, selection).map(({ name }) => name)).toEqual(names);
  });

  it('names what is unknown', () => {
    expect(() => selectFaults(FAULTS, ['twilio', 'fire'])).toThrow(
      /unknown fire; there are all, none, twilio.drop/,
    );
  });
});

describe('options', () => {
  it('have defaults', () => {
    expect(parseOptions([])).toMatchObject({ seed: 1, seeds: 1, minutes: 3, rate: 5, faults: ['all'] });
  });

  it('turn a number of messages into a rate', () => {
    expect(parseOptions(['--messages', '600', '--minutes', '2'])).toMatchObject({ rate: 5 });
  });

  it('ask for help', () => {
    expect(parseOptions(['--', '--help'])).toBeUndefined();
  });

  it.each([
    [['--seed', 'x'], /--seed: expected a whole number/],
    [['--minutes', '0'], /--minutes: expected a number/],
    [['--bus', 'memory'], /--bus: expected pubsub or local/],
    [['--platforms', 'irc'], /--platforms: expected some of twilio/],
    [['--sabotage', 'x'], /--sabotage: expected one of cursor-before-ack/],
    [['--store', 'paper'], /--store: expected file or firestore/],
    [['--runs', '0'], /--runs: expected a whole number/],
    [['--what'], /--what/],
  ])('%j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
