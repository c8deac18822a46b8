import { type RunReport } from './run-report.js';
import { toTable } from './table.js';
import { COUNTS, type Finding } from './account/verdict.js';

function report(seed: number, most: number, findings: readonly Finding[]): RunReport {
  return {
    seed,
    ok: findings.length === 0,
    seconds: 100,
    counts: { ...Object.fromEntries(COUNTS.map((name) => [name, 0])), written: 7 } as RunReport['counts'], // each name is there
    starts: 2,
    healMs: { count: 3, median: most, p95: most, most },
    faults: { 'bus.cut': 2, 'service.kill': 1 },
    memoryMb: { first: 1, most, last: 1 },
    findings: findings.map((finding) => ({ ...finding, history: [] })),
    events: [],
  };
}

describe('the table of runs', () => {
  it('adds up what can be added, and fails as a whole when one run does', () => {
    const doubled: Finding = { kind: 'egress doubled', detail: 'e1', keys: ['e1'] };
    const lines = toTable([report(1, 150, []), report(2, 200, [doubled])]).split('\n');
    const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()));
    const column = (title: string): (string | undefined)[] =>
      cells.map((line) => line[cells[0]?.indexOf(title) ?? -1]);
    expect(column('seed')).toEqual(['seed', '----', '1', '2', 'all']);
    expect(column('faults').slice(2)).toEqual(['3', '3', '6']);
    expect(column('written').slice(2)).toEqual(['7', '7', '14']);
    expect(column('heal ms').slice(2)).toEqual(['150', '200', '200']);
    expect(toTable([report(3, NaN, [])])).toMatch(/ - .*\n.*all.* - /);
    expect(column('MiB').slice(2)).toEqual(['150', '200', '200']);
    expect(column('doubled').slice(2)).toEqual(['0', '1', '1']);
    expect(column('verdict').slice(2)).toEqual(['ok', 'FAILED', 'FAILED']);
  });
});
