import { Ledger } from './ledger.js';

describe('Ledger', () => {
  /** Four messages in channels 0 and 1 by turns, with the ids `id0` to `id3`. */
  const written = (): Ledger => {
    const ledger = new Ledger(4);
    for (let i = 0; i < 4; i += 1) ledger.wrote(ledger.write(i % 2), `id${i}`);
    return ledger;
  };
  const whole = (): Ledger => {
    const ledger = written();
    for (let i = 0; i < 4; i += 1) ledger.published(i, `id${i}`, i % 2);
    ledger.accept(1);
    ledger.settle(1, 'sent');
    ledger.stands(1, 1);
    return ledger;
  };

  it('finds nothing where everything is as it should be', () => {
    const ledger = whole();
    expect(ledger.findings(true)).toEqual([]);
    expect(ledger.counts).toEqual({
      written: 4,
      published: 4,
      repeats: 0,
      accepted: 1,
      settled: 1,
      standing: 1,
    });
    expect([ledger.underWay, ledger.unsettled]).toEqual([0, 0]);
  });

  it('counts a repetition with the same id, and answers it once only', () => {
    const ledger = whole();
    expect(ledger.published(2, 'id2', 0)).toBe(false);
    expect(ledger.counts).toMatchObject({ published: 4, repeats: 1 });
    expect(ledger.findings(true)).toEqual([]);
  });

  it.each<[string, (ledger: Ledger) => void]>([
    ['ingress invented: x: nobody wrote it', (ledger) => ledger.published(undefined, 'x', 0)],
    ['ingress invented: x: nobody wrote it', (ledger) => ledger.published(4, 'x', 0)],
    ['ingress changed: x has the text of message 2', (ledger) => ledger.published(2, 'x', 0)],
    ['ingress changed: id2 has the text of message 2', (ledger) => ledger.published(2, 'id2', 1)],
    [
      'egress given up: answer 1: unknown',
      (ledger) => {
        ledger.settle(1, 'unknown');
      },
    ],
    [
      'egress invented: outcome sent of answer 0, which nobody gave',
      (ledger) => {
        ledger.settle(0, 'sent');
      },
    ],
    [
      'egress doubled: answer 1 stands twice',
      (ledger) => {
        ledger.stands(1, 1);
      },
    ],
    [
      'egress invented: 1 stands in channel 0',
      (ledger) => {
        ledger.stands(1, 0);
      },
    ],
    [
      'egress invented: 2 stands in channel 0',
      (ledger) => {
        ledger.stands(2, 0);
      },
    ],
    [
      'egress invented: a text stands in channel 0',
      (ledger) => {
        ledger.stands(undefined, 0);
      },
    ],
    [
      'egress without outcome: 1, number 3 first',
      (ledger) => {
        ledger.accept(3);
        ledger.stands(3, 1);
      },
    ],
    [
      'egress missing: 1, number 3 first',
      (ledger) => {
        ledger.accept(3);
        ledger.settle(3, 'sent');
      },
    ],
  ])('finds %s', (finding, spoil) => {
    const ledger = whole();
    spoil(ledger);
    expect(ledger.findings(true)).toEqual([finding]);
  });

  it('finds what was published out of order, and what was never', () => {
    const ledger = written();
    for (const message of [2, 1, 0]) ledger.published(message, `id${message}`, message % 2);
    expect(ledger.findings(false)).toEqual(['ingress out of order: 0 came behind 2 of the same channel']);
    expect(ledger.findings(true)).toContain('ingress missing: 1, number 3 first');
  });

  it('finds answers that stand out of order', () => {
    const ledger = whole();
    ledger.accept(3);
    ledger.accept(2);
    ledger.accept(0);
    for (const message of [3, 2, 0]) ledger.stands(message, message % 2);
    expect(ledger.findings(false)).toEqual(['egress out of order: 0 came behind 2 of the same channel']);
  });

  it('tells some of many findings', () => {
    const ledger = whole();
    for (let i = 0; i < 7; i += 1) ledger.published(undefined, `x${i}`, 0);
    expect(ledger.findings(true)).toHaveLength(6);
    expect(ledger.findings(true).at(-1)).toBe('ingress invented: 2 more');
  });
});
