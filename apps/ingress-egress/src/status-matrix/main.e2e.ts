import { parseArgs } from 'node:util';
import { silentLogger } from '@bitbrat/foundation';
import { runMatrix } from './matrix.e2e.js';
import { type MatrixWorld } from './matrix-world.e2e.js';
import { SCENARIOS } from './scenarios.e2e.js';

const DAY_MS = 86_400_000;

const { values } = parseArgs({
  options: {
    /** Answers for each request; all of them when left out. */
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '2' },
    /** One platform; all of them when left out. */
    platform: { type: 'string' },
    /** Part of the names of the cells to run, as a failure prints them. */
    only: { type: 'string', default: '' },
    /** How long a cell may take, in milliseconds. */
    bound: { type: 'string', default: '100000' },
    /** Shows that the matrix notices: after a definite or unlisted error nothing is tried again for a day. */
    final: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const worlds = new Set<MatrixWorld>();
let unclaimed = 0;
for (const origin of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(origin, (reason: unknown) => {
    if ([...worlds].some(({ manager }) => manager.claimFault(reason, origin) !== undefined)) return;
    unclaimed += 1;
    process.stderr.write(`${origin}: ${reason instanceof Error ? (reason.stack ?? '') : String(reason)}\n`);
  });
}

const results = await Promise.all(
  SCENARIOS.filter(({ name }) => (values.platform ?? name) === name).map(async (scenario) => {
    const result = await runMatrix(scenario, {
      perRequest: values.sample === undefined ? undefined : Number(values.sample),
      seed: Number(values.seed),
      lanes: Number(values.lanes),
      only: values.only,
      world: {
        logger: silentLogger,
        boundMs: Number(values.bound),
        ...(values.final ? { supervision: { slowBackoff: { baseMs: DAY_MS, maxMs: DAY_MS } } } : {}),
      },
      onWorld: (world) => worlds.add(world),
      onCell: (name, ms, fault) => {
        if (!values.verbose && fault === undefined) return;
        process.stderr.write(
          `${Math.round(ms)} ms  ${name}${fault === undefined ? '' : `  FAILED ${fault}`}\n`,
        );
      },
    });
    return { platform: scenario.name, ...result };
  }),
);
process.stdout.write(`${JSON.stringify({ seed: Number(values.seed), unclaimed, results }, undefined, 2)}\n`);
const failed = results.some(({ cells, failures }) => cells === 0 || failures.length > 0);
process.exit(failed || unclaimed > 0 ? 1 : 0);
