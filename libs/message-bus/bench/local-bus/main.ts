import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startPubSubEmulator } from '@bitbrat/emulators';
import { runVolume, type VolumeResult } from '../../src/fixtures/volume-run.js';

/**
 * 100,000 messages of 1 KB with 64 ordering keys through the local bus and through Google's emulator, in turns, by Google's
 * client as it is. Exits with 1 where a message was lost, came twice or out of order, or the local bus is the slower one.
 *
 * `npx nx run message-bus:local-bus-bench -- --messages 100000 --rounds 2`
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '2' },
    'no-emulator': { type: 'boolean', default: false },
  },
});
const volume = { messages: Number(values.messages), bodyBytes: 1_000, orderingKeys: 64 };

interface Server {
  readonly host: string;
  readonly projectId: string;
  readonly pid: number | undefined;
  stop(): Promise<unknown>;
}

async function startLocalServer(): Promise<Server> {
  const script = new URL('server-process.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=@bitbrat/source', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (child.stdout === null) throw new Error('unreachable: stdout is piped');
  const [host] = (await once(createInterface(child.stdout), 'line')) as [string]; // readline emits a string
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { host, projectId: 'local', pid: child.pid, stop };
}

/** The largest resident memory of a process so far, in MiB; undefined where the system does not tell. */
function peakMiB(pid: number | undefined): number | undefined {
  try {
    const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Math.round(Number(kib) / 1024);
  } catch {
    return undefined;
  }
}

const servers: Record<string, () => Promise<Server>> = {
  'local bus': startLocalServer,
  ...(values['no-emulator']
    ? {}
    : {
        emulator: async () => {
          // eslint-disable-next-line no-restricted-properties -- a program of its own, not a part of the library
          const emulator = await startPubSubEmulator({ environment: process.env, heapMb: 2_048 });
          const { host, projectId } = emulator;
          return { host, projectId, pid: undefined, stop: () => emulator.stop() };
        },
      }),
};

const rates = new Map<string, number[]>();
let wrong = 0;
for (let round = 1; round <= Number(values.rounds); round += 1) {
  for (const sideBySide of [true, false]) {
    for (const [name, start] of Object.entries(servers)) {
      const server = await start();
      const result = await runVolume({ ...server, ...volume, sideBySide });
      const peak = peakMiB(server.pid);
      await server.stop();
      const way = sideBySide ? 'side by side' : 'published, then read';
      const key = `${name}, ${way}`;
      rates.set(key, [...(rates.get(key) ?? []), result.throughPerSecond]);
      if (name === 'local bus') wrong += result.lost + result.outOfOrder + result.twice;
      console.log(
        `${round}. ${key}: ${describe(result)}${peak === undefined ? '' : `, peak memory ${peak} MiB`}`,
      );
    }
  }
}

function describe(result: VolumeResult): string {
  const { deliveredPerSecond, lost, outOfOrder, publishedPerSecond, throughPerSecond, twice } = result;
  const speed = `published ${publishedPerSecond}/s, delivered ${deliveredPerSecond}/s, through ${throughPerSecond}/s`;
  return `${speed}; lost ${lost}, twice ${twice}, out of order ${outOfOrder}`;
}

const best = (key: string): number => Math.max(0, ...(rates.get(key) ?? []));
for (const way of ['side by side', 'published, then read']) {
  const ratio = best(`local bus, ${way}`) / best(`emulator, ${way}`);
  console.log(`local bus / emulator, ${way}: ${ratio.toFixed(2)}`);
  if (ratio < 1) process.exitCode = 1;
}
if (wrong > 0) process.exitCode = 1;
