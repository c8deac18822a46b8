import { join } from 'node:path';
import { describeWithFirestoreEmulator, describeWithPubSubEmulator } from '@bitbrat/emulators';
import { PLATFORM_NAMES } from './options.js';
import { runCampaign } from './run.js';
import { describeFinding, type RunOptions } from './run-report.js';

const SERVICE = join(__dirname, '../../../ingress-egress/dist/main.mjs');
const OUTPUT = join(__dirname, '../../test-output/campaign-parts');

const OPTIONS: Omit<RunOptions, 'faults' | 'spanMs'> = {
  seed: 2_002,
  runs: 1,
  rate: 5,
  platforms: PLATFORM_NAMES,
  store: 'file',
  bus: 'pubsub',
  outageMs: 0,
  quickOnly: false,
  eachOnce: true,
  main: SERVICE,
  directory: OUTPUT,
  settleLimitMs: 240_000,
  progress: () => undefined,
};

describeWithPubSubEmulator('a few faults of the campaign', process.env, () => {
  it('platforms that answer with any status: every message is accounted for', async () => {
    const faults = PLATFORM_NAMES.map((name) => `${name}.any-status`);
    const report = await runCampaign({ ...OPTIONS, faults, spanMs: 20_000 });
    expect(report.findings.map(describeFinding)).toEqual([]);
    expect(Object.keys(report.faults).sort()).toEqual([...faults].sort());
  }, 400_000);

  describeWithFirestoreEmulator('with Firestore', process.env, () => {
    it('two processes side by side, and one that ends with a backlog: every message is accounted for', async () => {
      const faults = [
        'service.deploy',
        'service.deploy-killed',
        'service.restart-with-backlog',
        'service.rollback',
      ];
      const report = await runCampaign({
        ...OPTIONS,
        faults,
        store: 'firestore',
        spanMs: 45_000,
        peace: 0.2,
      });
      expect(report.findings.map(describeFinding)).toEqual([]);
      expect(Object.keys(report.faults).sort()).toEqual(faults);
      expect(report.starts).toBeGreaterThan(2);
    }, 400_000);
  });
});
