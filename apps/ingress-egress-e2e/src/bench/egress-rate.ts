import { startFirestoreEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { waitUntil } from '../support/wait-until.js';
import { World } from '../support/world.js';

const EVENTS = 1_000;
const CONVERSATIONS = 50;
const RUNS = 3;

/** Events a second from the first publish to the last outcome, over Twilio's sandbox without latency. */
async function rates(store: 'file' | 'firestore'): Promise<readonly number[]> {
  const emulator = await startPubSubEmulator({ environment: process.env });
  const firestore =
    store === 'firestore' ? await startFirestoreEmulator({ environment: process.env }) : undefined;
  const world = await World.start(emulator, {
    ECHO_BOT_ENABLED: 'false',
    LOG_LEVEL: 'warn',
    METADATA_SERVER_DETECTION: 'none',
    ...(firestore === undefined
      ? {}
      : { STATE_STORE_DRIVER: 'firestore', FIRESTORE_EMULATOR_HOST: firestore.host }),
  });
  const written = await Promise.all(
    Array.from({ length: CONVERSATIONS }, (_, i) =>
      world.sandbox.twilio.receiveMessage({ from: `+15550${5_000 + i}`, body: 'hello' }),
    ),
  );
  await waitUntil('the messages', () =>
    world.bus.uniqueEnvelopes().length === CONVERSATIONS ? true : undefined,
  );
  const results: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAt = performance.now();
    const before = world.bus.outcomes.length;
    await Promise.all(
      Array.from({ length: EVENTS }, (_, i) =>
        world.bus.send({
          id: `rate-${run}-${i}`,
          target: {
            connector: 'twilio',
            destination: written[i % CONVERSATIONS]?.conversationSid ?? '',
          },
        }),
      ),
    );
    await waitUntil(
      'the outcomes',
      () => (world.bus.outcomes.length >= before + EVENTS ? true : undefined),
      300_000,
    );
    results.push(EVENTS / ((performance.now() - startedAt) / 1_000));
  }
  await world.stop();
  await firestore?.stop();
  await emulator.stop();
  return results;
}

async function main(): Promise<void> {
  process.stdout.write(`Node ${process.version}, ${EVENTS} events to ${CONVERSATIONS} conversations\n\n`);
  process.stdout.write('| store | events a second, by run |\n| --- | --- |\n');
  for (const store of ['file', 'firestore'] as const) {
    const figures = await rates(store);
    process.stdout.write(`| ${store} | ${figures.map((figure) => figure.toFixed(0)).join(', ')} |\n`);
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
