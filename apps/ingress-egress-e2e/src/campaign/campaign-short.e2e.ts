import { join } from 'node:path';
import { describeWithPubSubEmulator } from '@bitbrat/emulators';
import { PLATFORM_NAMES } from './options.js';
import { runCampaign } from './run.js';
import { describeFinding } from './run-report.js';

const SERVICE = join(__dirname, '../../../ingress-egress/dist/main.mjs');
const OUTPUT = join(__dirname, '../../test-output/campaign-short');

describeWithPubSubEmulator('the fault campaign, in short', process.env, () => {
  it('accounts for every message', async () => {
    const report = await runCampaign({
      seed: 1_324,
      runs: 1,
      spanMs: 25_000,
      rate: 6,
      platforms: PLATFORM_NAMES,
      store: 'file',
      bus: 'pubsub',
      faults: ['all'],
      outageMs: 0,
      quickOnly: true,
      main: SERVICE,
      directory: OUTPUT,
      settleLimitMs: 180_000,
      progress: () => undefined,
    });
    expect(report.findings.map(describeFinding)).toEqual([]);
    expect(report.counts.written).toBeGreaterThan(100);
    expect(Object.keys(report.faults).length).toBeGreaterThan(5);
    expect(report.starts).toBeGreaterThan(1);
  }, 300_000);
});
