import { startPubSubEmulator } from '@bitbrat/emulators';
import { PubSub } from '@google-cloud/pubsub';
import { createPubSubBus } from '../src/index.js';

/**
 * Publishing on the emulator: the plain library against this one, in one process and in turns, so that what else the
 * machine does hits both. Prints messages per second, CPU time per message, and the ratio.
 *
 * Run in this folder's parent: `npx tsx --conditions=@bitbrat/source bench/publish.bench.ts`
 */
const MESSAGES = 20_000;
const ROUNDS = 5;
const KEYS = 64;
const IN_FLIGHT = 1000;

const data = Buffer.from(JSON.stringify({ text: 'x'.repeat(1000) }));
const attributes = { 'ce-id': 'twilio:IM0', 'ce-source': '/connectors/twilio', 'ce-type': 'chat.message.v1' };

interface Result {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

async function measure(publish: (orderingKey: string) => Promise<unknown>): Promise<Result> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  // So many publishers side by side keep so many messages under way, whoever bounds them.
  const publisher = async (): Promise<void> => {
    while (next < MESSAGES) await publish(`b${next++ % KEYS}`);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, publisher));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: Math.round(MESSAGES / seconds), cpuMicros: Math.round((user + system) / MESSAGES) };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

// eslint-disable-next-line no-restricted-properties -- a program of its own, not a part of the library
const emulator = await startPubSubEmulator({ environment: process.env, heapMb: 1024 });
const { projectId, host } = emulator;
const library = new PubSub({ projectId, apiEndpoint: host, emulatorMode: true });
await library.createTopic('bench-plain');
await library.createTopic('bench-ours');
const plain = library.topic('bench-plain', {
  messageOrdering: true,
  batching: { maxMessages: 100, maxMilliseconds: 1 },
});
const bus = createPubSubBus({ projectId, emulatorHost: host, createMissing: true });

const publishers: Record<string, (orderingKey: string) => Promise<unknown>> = {
  plain: (orderingKey) => plain.publishMessage({ data, attributes, orderingKey }),
  ours: (orderingKey) => bus.publish('bench-ours', { data, attributes, orderingKey }),
};
const results: Record<string, Result[]> = {};
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, publish] of Object.entries(publishers)) {
    const result = await measure(publish);
    // The first round warms up.
    if (round > 0) (results[name] ??= []).push(result);
  }
}
for (const [name, rounds] of Object.entries(results)) {
  const figures = rounds.map((result) => result.perSecond).join(' / ');
  const cpu = median(rounds.map((result) => result.cpuMicros));
  console.log(`${name}: ${figures} messages/s, ${cpu} us CPU per message`);
}
const rate = (name: string): number => median((results[name] ?? []).map((result) => result.perSecond));
console.log(`ratio ours / plain: ${(rate('ours') / rate('plain')).toFixed(2)}`);

await bus.close(5000);
await library.close();
await emulator.stop();
