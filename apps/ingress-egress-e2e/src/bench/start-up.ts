import { readFile } from 'node:fs/promises';
import { waitUntil } from '../support/wait-until.js';
import { PLATFORMS, type Platform, World } from '../support/world.js';

const RUNS = 5;

interface Sample {
  readonly readyMs: number;
  readonly residentMb: number;
}

/** Resident memory of a process, in MB (Linux: proc(5), VmRSS). */
async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024;
}

async function sample(platforms: readonly Platform[]): Promise<Sample> {
  const world = await World.start(undefined, { ECHO_BOT_ENABLED: 'false', LOG_LEVEL: 'warn' }, platforms);
  await world.service.stop();
  const startedAt = performance.now();
  await world.startService();
  const readyMs = performance.now() - startedAt;
  const resident = await waitUntil('the memory to be read', () => residentMb(world.service.pid));
  await world.stop();
  return { readyMs, residentMb: resident };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function main(): Promise<void> {
  const rows: readonly (readonly [string, readonly Platform[]])[] = [
    ['none', []],
    ...PLATFORMS.map((platform): readonly [string, readonly Platform[]] => [platform, [platform]]),
    ['all', PLATFORMS],
  ];
  process.stdout.write(
    `Node ${process.version}, median of ${RUNS} runs, built service against the sandbox\n\n`,
  );
  process.stdout.write('| connectors | spawn to ready, ms | resident, MB |\n| --- | --- | --- |\n');
  for (const [name, platforms] of rows) {
    const samples: Sample[] = [];
    for (let run = 0; run < RUNS; run += 1) samples.push(await sample(platforms));
    const ready = Math.round(median(samples.map(({ readyMs }) => readyMs)));
    const resident = Math.round(median(samples.map((one) => one.residentMb)));
    process.stdout.write(`| ${name} | ${ready} | ${resident} |\n`);
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
