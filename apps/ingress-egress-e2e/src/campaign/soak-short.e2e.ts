import { join } from 'node:path';
import { describeWithEmulator } from '@bitbrat/message-bus/testing';
import { runSoak } from './soak/soak-run.js';

const SERVICE = join(__dirname, '../../../ingress-egress/dist/main.mjs');
const PROBE = join(__dirname, 'soak/service-probe.mjs');
const OUTPUT = join(__dirname, '../../test-output/soak-short');

describeWithEmulator('the soak, in short', process.env, () => {
  it('loses and doubles nothing, and nothing grows', async () => {
    const report = await runSoak({
      messages: 4_000,
      rate: Infinity,
      seed: 1,
      replaceAfter: 200,
      main: SERVICE,
      probe: PROBE,
      directory: OUTPUT,
      progress: () => undefined,
    });
    expect(report.findings).toEqual([]);
    expect(report.growth.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.counts).toMatchObject({ written: 4_000, published: 4_000 });
    expect(report.counts.standing).toBe(report.counts.accepted);
    expect(report.counts.accepted).toBeGreaterThan(200);
  }, 300_000);
});
