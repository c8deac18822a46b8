import { MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { ConsentBook } from './consent-book.js';

const PHONE = '+15550100';

function create(cursors = new MemoryCursors()): {
  readonly book: ConsentBook;
  readonly clock: ManualClock;
  readonly cursors: MemoryCursors;
  readonly logger: RecordingLogger;
} {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  return { book: new ConsentBook({ cursors, clock, logger }), clock, cursors, logger };
}

/** A bus that answers when it is told to. */
class Bus {
  calls = 0;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  readonly tell = (): Promise<void> => {
    this.calls += 1;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  };

  acknowledge(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  refuse(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('no'));
  }
}

describe('ConsentBook', () => {
  it('knows who has opted out, and who has come back', async () => {
    const { book, cursors } = create();
    expect(await book.isOptedOut(PHONE)).toBe(false);
    await book.record(PHONE, 'out');
    expect([await book.isOptedOut(PHONE), await book.isOptedOut(`whatsapp:${PHONE}`)]).toEqual([true, false]);
    expect([...cursors.entries]).toEqual([[`consent:${PHONE}`, 'out']]);
    await book.record(PHONE, 'in');
    expect(await book.isOptedOut(PHONE)).toBe(false);
  });

  it('knows it after a restart', async () => {
    const { book, cursors } = create();
    await book.record(PHONE, 'out');
    expect(await create(cursors).book.isOptedOut(PHONE)).toBe(true);
  });

  it('lets messages pass while the store fails, says so without the number, and asks again', async () => {
    const { book, cursors, logger } = create();
    cursors.entries.set(`consent:${PHONE}`, 'out');
    cursors.failNext();
    expect(await book.isOptedOut(PHONE)).toBe(false);
    expect(logger.entries).toMatchObject([{ level: 'warn', event: 'twilio.consent-store-failed' }]);
    expect(JSON.stringify(logger.entries)).not.toContain(PHONE);
    expect(await book.isOptedOut(PHONE)).toBe(true);
  });

  it('keeps in mind what the store did not take', async () => {
    const { book, cursors } = create();
    cursors.failNext();
    await book.record(PHONE, 'out');
    expect(await book.isOptedOut(PHONE)).toBe(true);
  });

  it('counts an opt-out by the platform at once, and notes it once it is told', async () => {
    const { book, cursors } = create();
    const bus = new Bus();
    const work = [book.optOut(PHONE, bus.tell), book.optOut(PHONE, bus.tell)];
    await book.isOptedOut('+15550101'); // as long as it takes to look one up
    expect([await book.isOptedOut(PHONE), bus.calls, cursors.entries.size]).toEqual([true, 1, 0]);
    bus.acknowledge();
    await Promise.all(work);
    expect([...cursors.entries]).toEqual([[`consent:${PHONE}`, 'out']]);
    await book.optOut(PHONE, bus.tell);
    await create(cursors).book.optOut(PHONE, bus.tell);
    expect(bus.calls).toBe(1);
  });

  it('forgets an opt-out by the platform that could not be told, and tells it again', async () => {
    const { book, cursors } = create();
    const refusing = (): Promise<void> => Promise.reject(new Error('no'));
    await expect(book.optOut(PHONE, refusing)).rejects.toThrow('no');
    expect([await book.isOptedOut(PHONE), cursors.entries.size]).toEqual([false, 0]);
    await book.optOut(PHONE, () => Promise.resolve());
    expect(cursors.entries.get(`consent:${PHONE}`)).toBe('out');
  });

  it.each(['acknowledge', 'refuse'] as const)(
    'believes a word that came while an opt-out was being told (%s)',
    async (how) => {
      const { book, cursors } = create();
      const bus = new Bus();
      await book.isOptedOut(PHONE);
      const older = book.optOut(PHONE, bus.tell).catch(() => undefined);
      await book.record(PHONE, 'in');
      bus[how]();
      await older;
      expect([await book.isOptedOut(PHONE), cursors.entries.get(`consent:${PHONE}`)]).toEqual([false, 'in']);
      const newer = book.optOut(PHONE, bus.tell);
      bus.acknowledge();
      await newer;
      expect([bus.calls, cursors.entries.get(`consent:${PHONE}`)]).toEqual([2, 'out']);
    },
  );

  it('tells an opt-out by the platform though the store does not answer', async () => {
    const { book, cursors } = create();
    cursors.failNext(2);
    const bus = new Bus();
    const told = book.optOut(PHONE, bus.tell);
    await book.isOptedOut(PHONE);
    bus.acknowledge();
    await told;
    expect([bus.calls, await book.isOptedOut(PHONE)]).toEqual([1, true]);
  });

  it('does not wait for a silent store, and believes what was heard over what it finds', async () => {
    const { clock, logger } = create();
    const finds: ((value: string) => void)[] = [];
    const cursors = {
      load: () => new Promise<string>((resolve) => finds.push(resolve)),
      save: () => new Promise<void>(() => undefined),
    };
    const book = new ConsentBook({ cursors, clock, logger });
    const asked = book.isOptedOut(PHONE);
    const recorded = book.record(PHONE, 'out');
    finds[0]?.('in');
    expect(await asked).toBe(true);
    await clock.advance(2_000);
    await recorded;
    const unknown = book.isOptedOut('+15550101');
    await clock.advance(2_000);
    expect(await unknown).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});
