import { describeWithFirestoreEmulator, describeWithPubSubEmulator } from '@bitbrat/emulators';
import { isClean, TwoProcesses } from './two-processes/two-processes.js';

describeWithPubSubEmulator('two processes with one account', process.env, () => {
  describeWithFirestoreEmulator('and one store', process.env, () => {
    let two: TwoProcesses;

    beforeAll(async () => {
      two = await TwoProcesses.start();
    });
    afterAll(async () => {
      await two.stop();
    });

    it('send each event once that is published twice without an ordering key, with one outcome', async () => {
      const accounts = await two.run({ events: 12, intervalMs: 450, settleMs: 30_000 });
      expect(accounts.map((account) => (isClean(account) ? 'clean' : account))).toEqual([
        'clean',
        'clean',
        'clean',
      ]);
    });
  });
});
