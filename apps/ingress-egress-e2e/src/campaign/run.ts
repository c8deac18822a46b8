import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Step } from './plan.js';
import { type RunOptions, type RunReport } from './run-report.js';
import { RunWorld } from './run-world.js';
import { isPending, type Verdict } from './account/verdict.js';

/** Milliseconds of silence after which nothing more is under way. */
const SILENCE_MS = 10_000;
/** Milliseconds after which the bus has delivered again what a dead process had in hand: the ack deadline of 20 s and some more. */
const REDELIVERY_MS = 30_000;
/** Milliseconds of silence after which nothing will come any more: more than any retry or redelivery waits. */
const HOPELESS_MS = 130_000;
const PROGRESS_MS = 10_000;
const POLL_MS = 500;

/** Runs on the same state: load and faults by the seed, healing, waiting until all is quiet; and again; then accounting for all of it. */
export async function runCampaign(options: RunOptions): Promise<RunReport> {
  mkdirSync(options.directory, { recursive: true });
  const logFile = join(options.directory, `seed-${options.seed}.service.log`);
  const world = await RunWorld.start(options, logFile);
  const progress = setInterval(() => {
    options.progress(world.progressLine());
  }, PROGRESS_MS);
  try {
    let verdict = world.account();
    for (let run = 0; run < options.runs; run += 1) {
      const plan = await world.open(run);
      await play(plan, world, options.spanMs);
      await world.heal();
      verdict = await settle(world, options.settleLimitMs);
    }
    return world.report(verdict);
  } finally {
    clearInterval(progress);
    await world.close();
  }
}

/** Does each step at its time. */
async function play(plan: readonly Step[], world: RunWorld, spanMs: number): Promise<void> {
  const startedAt = performance.now();
  const until = async (at: number): Promise<void> => {
    const waitMs = at - (performance.now() - startedAt);
    if (waitMs > 0) await delay(waitMs);
  };
  for (const step of plan) {
    await until(step.at);
    world.play(step);
  }
  await until(spanMs);
}

async function settle(world: RunWorld, limitMs: number): Promise<Verdict> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const startedAt = performance.now();
    const verdict = world.account();
    const tookMs = performance.now() - startedAt;
    const isQuiet = world.silentForMs() > SILENCE_MS && world.sinceDisruptionMs() > REDELIVERY_MS;
    if (isQuiet && !verdict.findings.some(isPending)) return verdict;
    const isHopeless = world.silentForMs() > HOPELESS_MS;
    if (isHopeless || performance.now() > deadline) return verdict;
    // The sandbox lives in this process, too: accounting for very many messages must leave it time.
    await delay(Math.max(POLL_MS, 5 * tookMs));
  }
}
