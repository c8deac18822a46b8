/**
 * A process of its own that asks a URL (the argument) every 25 ms, on a new connection each and whether the answers
 * before have come or not. When its standard input ends it prints how long the answers took, and ends.
 */
import { get } from 'node:http';

const EVERY_MS = 25;
const TIMEOUT_MS = 5_000;

const url = process.argv[2] ?? '';
const tookMs = [];
let failures = 0;

const asking = setInterval(() => {
  const from = performance.now();
  const request = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
    response.resume();
    response.once('end', () => {
      if (response.statusCode === 200) tookMs.push(performance.now() - from);
      else failures += 1;
    });
  });
  request.once('timeout', () => request.destroy(new Error('no answer')));
  request.once('error', () => (failures += 1));
}, EVERY_MS);

process.stdin.resume().once('end', () => {
  clearInterval(asking);
  const sorted = tookMs.sort((a, b) => a - b);
  const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? null;
  console.log(JSON.stringify({ asked: sorted.length, failures, p99Ms, maxMs: sorted.at(-1) ?? null }));
  process.exit(0);
});
