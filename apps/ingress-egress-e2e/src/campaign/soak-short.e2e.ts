import { join } from 'node:path';
import { describeWithPubSubEmulator } from '@bitbrat/emulators';
import { runSoak } from './soak/soak-run.js';

const SERVICE = join(__dirname, '../../../ingress-egress/dist/main.mjs');
const PROBE = join(__dirname, 'soak/service-probe.mjs');
const OUTPUT = join(__dirname, '../../test-output/soak-short');

describeWithPubSubEmulator('the soak, in short', process.env, () => {
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
    // So early the service's lists of what it has seen still fill. A client of Twilio's SDK that is kept has a thousand listeners and more.
    const most: Record<string, number> = {
      timers: 5,
      listeners: 4_000,
      topics: 0,
      subscriptions: 0,
      'heap after GC, MiB': 24,
    };
    const grown = report.growth.filter(({ growth, name }) => growth > (most[name] ?? Infinity));
    expect(grown).toEqual([]);
    expect(report.clients).toBeGreaterThan(3);
    expect(report.counts).toMatchObject({ written: 4_000, published: 4_000 });
    expect(report.counts.standing).toBe(report.counts.accepted);
    expect(report.counts.accepted).toBeGreaterThan(200);
  }, 300_000);
});
