import fc from 'fast-check';
import { BoundedOutput, type DroppedLines, MAX_WAITING } from './bounded-output.js';

/** A writer whose every write waits until the test says how it ends. */
function aWriter(): {
  readonly output: BoundedOutput;
  readonly written: string[];
  readonly reports: DroppedLines[];
  readonly end: (error?: Error) => void;
} {
  const written: string[] = [];
  const reports: DroppedLines[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const output = new BoundedOutput((text, done) => {
    ends.push((error) => {
      if (error === undefined) written.push(text);
      done(error);
    });
  });
  output.onRecovered((dropped) => reports.push(dropped));
  return { output, written, reports, end: (error) => ends.shift()?.(error) };
}

const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

describe('BoundedOutput', () => {
  it('keeps a bounded number of lines while the reader stands still, and counts the others', () => {
    const { end, output, reports, written } = aWriter();
    const line = `${'x'.repeat(1_023)}\n`;
    for (let count = 0; count < 5_000; count += 1) output.write(line);
    const kept = MAX_WAITING / line.length + 1;
    expect(output.dropped).toBe(5_000 - kept);
    while (output.isBusy) end();
    expect(written.join('')).toBe(line.repeat(kept));
    expect(reports).toEqual([{ count: 5_000 - kept, total: 5_000 - kept, reason: 'FULL' }]);
  });

  it('drops and counts the lines whose write fails, and reports the count once lines can be written', () => {
    const { end, output, reports, written } = aWriter();
    output.write('a\n');
    end(full);
    output.write('b\n');
    end(full);
    expect([output.dropped, reports]).toEqual([2, []]);
    output.write('c\n');
    end();
    expect(written).toEqual(['c\n']);
    expect(reports).toEqual([{ count: 2, total: 2, reason: 'ENOSPC' }]);
  });

  it('survives a writer that throws', () => {
    const output = new BoundedOutput(() => {
      throw full;
    });
    output.write('a\n');
    expect(output.dropped).toBe(1);
  });

  it('resolves flush when all is written, or after its time', async () => {
    const { end, output } = aWriter();
    expect(await output.flush(10)).toBe(true);
    output.write('a\n');
    expect(await output.flush(10)).toBe(false);
    const flushed = output.flush(60_000);
    output.write('b\n');
    end();
    end();
    expect(await flushed).toBe(true);
  });

  it('writes each line whole and in order, or counts it', () => {
    const length = fc.integer({ min: 1, max: MAX_WAITING / 8 });
    const steps = fc.array(fc.oneof(length, fc.constantFrom('write', 'fail')), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (sequence) => {
        const { end, output, reports, written } = aWriter();
        let lines = 0;
        for (const step of sequence) {
          if (step === 'write') end();
          else if (step === 'fail') end(full);
          else output.write(`${lines++}\n`.padStart(step, '.'));
        }
        while (output.isBusy) end();
        const numbers = written
          .join('')
          .split('\n')
          .slice(0, -1)
          .map((line) => Number(line.slice(line.lastIndexOf('.') + 1)));
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        expect(numbers.length + output.dropped).toBe(lines);
        const reported = reports.reduce((sum, { count }) => sum + count, 0);
        expect(reported).toBeLessThanOrEqual(output.dropped);
      }),
      { numRuns: 30, verbose: true },
    );
  });
});
