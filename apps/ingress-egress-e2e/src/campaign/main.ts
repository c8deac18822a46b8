import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CampaignOptions, HELP, parseOptions, type SoakPlan } from './options.js';
import { runCampaign } from './run.js';
import { describeFinding, type RunReport } from './run-report.js';
import { buildSabotaged } from './sabotage/build-sabotaged.js';
import { type SabotageName, sabotageOf, SABOTAGES } from './sabotage/sabotages.js';
import { runSoak } from './soak/soak-run.js';
import { toSoakText } from './soak/soak-text.js';
import { toTable } from './table.js';

const APP = join(import.meta.dirname, '../../../ingress-egress');
const OUTPUT = join(import.meta.dirname, '../../test-output/campaign');

const SETTLE_LIMIT_MS = 300_000;
/** A broken build never settles; what it lost shows soon. */
const BITE_SETTLE_LIMIT_MS = 60_000;

// google-auth-library must not look for a metadata server.
process.env['METADATA_SERVER_DETECTION'] ??= 'none';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  let options: CampaignOptions | undefined;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (options === undefined) {
    say(HELP);
    return 0;
  }
  if (options.soak !== undefined) return soak(options, options.soak);
  return options.bite ? bite(options) : campaign(options);
}

async function campaign(options: CampaignOptions): Promise<number> {
  const main = await build(options.sabotage);
  const reports: RunReport[] = [];
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += 1) {
    // What has gathered while the bus was away is sent at the pace that the platforms take.
    const settleLimitMs = SETTLE_LIMIT_MS + 3 * options.outageMinutes * 60_000;
    reports.push(await run(options, { seed, main, settleLimitMs }));
  }
  say(`\n${toTable(reports)}`);
  return reports.every(({ ok }) => ok) ? 0 : 1;
}

async function soak({ seed }: CampaignOptions, { messages, rate }: SoakPlan): Promise<number> {
  say(`soak: ${messages} messages, ${rate === Infinity ? 'as fast as they go' : `${rate}/s`}, no faults`);
  const report = await runSoak({
    messages,
    rate,
    seed,
    replaceAfter: 2_000,
    main: await build(undefined),
    probe: join(import.meta.dirname, 'soak/service-probe.mjs'),
    directory: OUTPUT,
    progress: say,
  });
  const file = join(OUTPUT, 'soak.json');
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  say(`\n${toSoakText(report)}\n\n${file}`);
  return report.ok ? 0 : 1;
}

/**
 * Runs each broken build under the faults that bring it to light, and succeeds when every one of them is
 * found out, while the service as it is is found to be without fault under the same ones.
 */
async function bite(options: CampaignOptions): Promise<number> {
  const names = Object.keys(SABOTAGES).filter((name): name is SabotageName => name in SABOTAGES);
  const { seed } = options;
  const intact = await build(undefined);
  const wrong: string[] = [];
  for (const name of names) {
    const { faults, platforms = ['twilio'], shows, store = 'file' } = sabotageOf(name);
    const own = { ...options, faults, platforms, store };
    say(`\nthe service as it is, with the faults for ${name}`);
    const control = await run(own, { seed, main: intact, settleLimitMs: SETTLE_LIMIT_MS });
    if (!control.ok) wrong.push(`${name}: the service as it is has ${control.findings.length} findings`);
    say(`\nsabotage: ${name}`);
    const report = await run(own, { seed, main: await build(name), settleLimitMs: BITE_SETTLE_LIMIT_MS });
    const found = shows.flatMap((kind) => {
      const count = report.findings.filter((finding) => finding.kind === kind).length;
      return count === 0 ? [] : [`${count} times "${kind}"`];
    });
    say(`sabotage ${name}: ${found.length === 0 ? 'NOT NOTICED' : `caught, ${found.join(', ')}`}`);
    if (found.length === 0) wrong.push(`${name}: the broken build was not noticed`);
  }
  say(wrong.length === 0 ? '\neach broken build was caught, and no other' : `\n${wrong.join('\n')}`);
  return wrong.length === 0 ? 0 : 1;
}

/**
 * A build of the campaign's own, because the service is started again and again while others may build it
 * anew. It is gone with this process.
 */
async function build(sabotage: SabotageName | undefined): Promise<string> {
  const main = sabotage === undefined ? copyBuild() : await buildSabotaged(sabotage, APP);
  process.on('exit', () => {
    rmSync(dirname(main), { recursive: true });
  });
  return main;
}

function copyBuild(): string {
  const dist = join(APP, 'dist');
  if (!existsSync(join(dist, 'main.mjs'))) {
    throw new Error(`${dist}/main.mjs is missing: run npx nx build ingress-egress`);
  }
  const copy = mkdtempSync(join(tmpdir(), 'campaign-build-'));
  cpSync(dist, copy, { recursive: true });
  return join(copy, 'main.mjs');
}

async function run(
  options: CampaignOptions,
  { main, seed, settleLimitMs }: { seed: number; main: string; settleLimitMs: number },
): Promise<RunReport> {
  const { faults, minutes, platforms, rate } = options;
  say(
    `seed ${seed}: ${minutes} minutes, ${rate.toFixed(1)} messages/s, ${platforms.join(' ')}, faults ${faults.join(' ')}`,
  );
  mkdirSync(OUTPUT, { recursive: true });
  const report = await runCampaign({
    seed,
    runs: options.runs,
    spanMs: minutes * 60_000,
    rate,
    platforms,
    store: options.store,
    bus: options.bus,
    faults,
    outageMs: options.outageMinutes * 60_000,
    quickOnly: false,
    main,
    settleLimitMs,
    directory: OUTPUT,
    progress: say,
  });
  const file = join(OUTPUT, `seed-${seed}.json`);
  writeFileSync(file, `${JSON.stringify({ options, ...report }, undefined, 2)}\n`);
  for (const finding of report.findings.slice(0, 5)) say(describeFinding(finding));
  say(
    `seed ${seed}: ${report.ok ? 'everything is accounted for' : `${report.findings.length} findings`}; ${file}`,
  );
  return report;
}

main().then(
  (code) => {
    process.exit(code);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
