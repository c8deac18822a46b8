import { parseArgs } from 'node:util';
import { isClean, TwoProcesses } from './two-processes.js';

const HELP = `Two service processes with one account and one store; every event is published twice, without an ordering key.

  npx nx run ingress-egress-e2e:two-processes -- [--events 200] [--runs 5]

Exit code 0 when nothing was doubled and each event has one outcome.`;

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      events: { type: 'string', default: '200' },
      runs: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return true;
  }
  const two = await TwoProcesses.start();
  let allClean = true;
  process.stdout.write('| run | platform | events | doubled | missing | outcomes |\n');
  process.stdout.write('| --- | --- | --- | --- | --- | --- |\n');
  for (let run = 1; run <= Number(values.runs); run++) {
    const accounts = await two.run({
      events: Number(values.events),
      intervalMs: 450,
      settleMs: 300_000,
    });
    for (const account of accounts) {
      const { doubled, events, missing, outcomes, platform } = account;
      const cells = [run, platform, events, doubled, missing, JSON.stringify(outcomes)];
      process.stdout.write(`| ${cells.join(' | ')} |\n`);
      allClean &&= isClean(account);
    }
  }
  await two.stop();
  return allClean;
}

main().then(
  (isFine) => process.exit(isFine ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(2);
  },
);
