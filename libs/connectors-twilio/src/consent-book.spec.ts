import { ManualClock, MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
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
