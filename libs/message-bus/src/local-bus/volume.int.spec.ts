import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Message, PubSub } from '@google-cloud/pubsub';
import { Arrivals, publishAll, runVolume } from '../fixtures/volume-run.js';
import { type LocalBusServer, startLocalBus } from './server/local-bus-server.js';
import { RECEIVE_WINDOW_BYTES } from './server/receive-window.js';

const PROJECT = 'local';

/** Google's client as it is; nothing here knows the server but its address. */
describe('the local bus under load', () => {
  let server: LocalBusServer;

  beforeEach(async () => {
    server = await startLocalBus();
  });

  afterEach(() => server.close());

  it.each([true, false])(
    'carries 5,000 messages in order, each once (side by side: %s)',
    async (sideBySide) => {
      const volume = { messages: 5_000, bodyBytes: 1_000, orderingKeys: 64, sideBySide };
      const result = await runVolume({ ...volume, host: server.address, projectId: PROJECT });
      expect(result).toMatchObject({ lost: 0, twice: 0, outOfOrder: 0 });
    },
    120_000,
  );

  it('counts what is lost, comes twice or out of order', () => {
    const arrivals = new Arrivals(6, 2);
    for (const number of [0, 1, 4, 2, 4]) arrivals.note(number);
    expect([arrivals.lost, arrivals.twice, arrivals.outOfOrder]).toEqual([2, 1, 1]);
  });

  it('delivers again, in order, what a reader had that was killed', async () => {
    const client = new PubSub({ projectId: PROJECT, apiEndpoint: server.address, emulatorMode: true });
    const [topic] = await client.createTopic('things');
    await topic.createSubscription('reader', { enableMessageOrdering: true, ackDeadlineSeconds: 10 });
    await publishAll(client, 'things', { messages: 500, bodyBytes: 100, orderingKeys: 8 });
    const killed = await readAndDie(server.address, 200);
    expect(killed.size).toBeGreaterThanOrEqual(200);

    const arrivals = new Arrivals(500, 8);
    const again = client.subscription('reader');
    await new Promise<void>((resolve, reject) => {
      again.on('error', reject);
      again.on('message', (message: Message) => {
        arrivals.note(message.data.readUInt32BE(0));
        message.ack();
        if (arrivals.lost === 0) resolve();
      });
    });
    expect([arrivals.twice, arrivals.outOfOrder]).toEqual([0, 0]);
    await again.close();
    await client.close();
  }, 120_000);

  it('lets a connection send more than HTTP/2 does by itself before it waits', async () => {
    const session = connect(`http://${server.address}`);
    await once(session, 'remoteSettings');
    // The server's window update comes behind its settings.
    while ((session.state.remoteWindowSize ?? 0) < RECEIVE_WINDOW_BYTES) {
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
    }
    session.destroy();
  });
});

/** A reader in a process of its own that acknowledges nothing, killed when it has so many. @returns what it had */
async function readAndDie(host: string, count: number): Promise<Set<number>> {
  const script = join(__dirname, '../fixtures/reader-process.ts');
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=@bitbrat/source', script, host, PROJECT, 'reader'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
  );
  if (child.stdout === null) throw new Error('unreachable: stdout is piped');
  const had = new Set<number>();
  for await (const line of createInterface(child.stdout)) {
    had.add(Number(line));
    if (had.size === count) child.kill('SIGKILL');
  }
  return had;
}
