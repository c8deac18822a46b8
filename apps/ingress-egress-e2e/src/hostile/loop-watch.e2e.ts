import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitUntil } from '../support/wait-until.js';
import { LoopWatch } from './liveness-probe.js';

/** Uses as many milliseconds of CPU: on a busy machine that takes longer. */
const WORK = `const work = (ms) => { const from = process.cpuUsage(); for (;;) {
  const { user, system } = process.cpuUsage(from); if (user + system >= ms * 1_000) return; } };`;

/** Programs, and whether a p99 below 100 ms is right for them. */
const PROGRAMS = [
  ['does nothing', 'setInterval(() => undefined, 1_000)', true],
  ['works hard in small portions', 'const again = () => { work(8); setImmediate(again); }; again();', true],
  ['blocks for 150 ms every second', 'setInterval(work, 1_000, 150)', false],
] as const;

describe('the watch of an event loop', () => {
  it.each(PROGRAMS)('tells of a process that %s', async (_name, program, isQuick) => {
    const watch = await LoopWatch.create();
    const child = spawn(process.execPath, ['-e', `${WORK}${program}`], {
      env: { PATH: process.env['PATH'] ?? '', NODE_OPTIONS: watch.nodeOption },
      stdio: 'inherit',
    });
    const exited = once(child, 'exit');
    try {
      const turns = (): number => {
        try {
          return watch.read().turns;
        } catch {
          return 0;
        }
      };
      await waitUntil('400 turns', () => (turns() > 400 ? true : undefined), 60_000);
      if (isQuick) expect(watch.read().p99Ms).toBeLessThan(100);
      else expect(watch.read().p99Ms).toBeGreaterThan(100);
    } finally {
      child.kill('SIGKILL');
      await exited;
      await watch.dispose();
    }
  });
});
