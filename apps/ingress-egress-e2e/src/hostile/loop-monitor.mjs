/**
 * Loaded into the service by `--import`: measures by how much its own work holds up its event loop, and writes the
 * result to the file in `?report=` every half second.
 *
 * A turn that is late because the machine is busy has used little CPU; one that the service itself has blocked has used
 * as much as it is late. The smaller of both is counted. Late turns count for each one that they have kept from coming,
 * as a client sees it that asks at regular times.
 */
import { renameSync, writeFileSync } from 'node:fs';

const EVERY_MS = 10;

const report = new URL(import.meta.url).searchParams.get('report') ?? '';
/** Turns by whole milliseconds that they were held up. */
const counts = new Map();
let last = performance.now();
let lastCpu = process.cpuUsage();
let lastWritten = last;

setInterval(() => {
  const now = performance.now();
  const cpu = process.cpuUsage(lastCpu);
  const heldUpMs = Math.min(now - last, (cpu.user + cpu.system) / 1_000);
  for (let ms = heldUpMs; ms > 0; ms -= EVERY_MS) {
    const key = Math.floor(ms);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  last = now;
  lastCpu = process.cpuUsage();
  if (now - lastWritten >= 500) {
    lastWritten = now;
    writeFileSync(`${report}.new`, JSON.stringify(summary()));
    renameSync(`${report}.new`, report);
  }
}, EVERY_MS).unref();

function summary() {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const turns = sorted.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  const p99Ms = sorted.find(([, count]) => (seen += count) >= turns * 0.99)?.[0] ?? 0;
  return { turns, p99Ms, maxMs: sorted.at(-1)?.[0] ?? 0 };
}
