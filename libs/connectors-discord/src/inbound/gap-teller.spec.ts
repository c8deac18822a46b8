import { type IngressGap } from '@bitbrat/connectors-core';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { GapTeller } from './gap-teller.js';

const gap = (from: number, to: number, reason: string): IngressGap => ({
  from: `2026-11-20T00:00:0${from}.000Z`,
  to: `2026-11-20T00:00:0${to}.000Z`,
  reason,
});

describe('GapTeller', () => {
  let clock: ManualClock;
  let gaps: GapTeller;
  let isConnected: boolean;
  /** What was said, and the answer of the bus. */
  let said: { readonly gap: IngressGap | undefined; readonly answer: (isTold: boolean) => void }[];
  let told: string[];

  const say = (told: IngressGap | undefined): Promise<boolean> =>
    new Promise((answer) => said.push({ gap: told, answer }));
  const add = (name: string, from = 1, to = 2): void => {
    gaps.add(gap(from, to, name), () => told.push(name));
  };

  beforeEach(() => {
    clock = new ManualClock(0);
    isConnected = true;
    said = [];
    told = [];
    gaps = new GapTeller({
      clock,
      logger: new RecordingLogger(),
      onDue: () => {
        if (isConnected) void gaps.tell(say);
      },
    });
  });

  it('tells once what several channels tell at the same time, and each of them when the bus has it', async () => {
    add('a', 3, 4);
    add('b', 1, 5);
    add('a', 2, 4);
    await clock.advance(1_000);
    expect(said.map((each) => each.gap)).toEqual([gap(1, 5, 'a; b')]);
    expect(told).toEqual([]);
    said[0]?.answer(true);
    await settle();
    expect(told).toEqual(['a', 'b', 'a']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps a gap until the connector is connected', async () => {
    isConnected = false;
    add('a');
    await clock.advance(60_000);
    expect(said).toEqual([]);
    void gaps.tell(say);
    void gaps.tell(say);
    expect(said.map((each) => each.gap)).toEqual([gap(1, 2, 'a'), undefined]);
  });

  it('tells again what the bus has refused, with what came meanwhile', async () => {
    add('a', 1, 2);
    await clock.advance(1_000);
    said[0]?.answer(false);
    await settle();
    add('b', 2, 3);
    await clock.advance(30_000);
    expect(said.map((each) => each.gap)).toEqual([gap(1, 2, 'a'), gap(1, 3, 'a; b')]);
    said[1]?.answer(true);
    await settle();
    expect(told).toEqual(['a', 'b']);
  });

  it('tells nothing once it is stopped', async () => {
    add('a');
    gaps.stop();
    await clock.advance(60_000);
    expect([said, clock.pendingTimers]).toEqual([[], 0]);
  });
});
