import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment } from '@bitbrat/connectors-core';
import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { systemClock } from '@bitbrat/foundation';
import { type Sandbox, startSandbox } from '@bitbrat/sandbox';
import { createFileStore, createMemoryStore } from '@bitbrat/state-store';
import { createBus, readSettings } from '../composition.js';
import { IngressEgressServer } from '../ingress-egress-server.js';
import { createLogger } from '../logging/logger.js';
import { EXIT, runDoctor } from './cli.js';
import { type DoctorRow } from './report.js';

const cleanUps: (() => Promise<unknown>)[] = [];
let folder: string;
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 });
});

afterAll(async () => {
  await sandbox.close();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Outcome {
  readonly exitCode: number;
  readonly rows: readonly DoctorRow[];
  readonly out: string;
}

async function runJson(environment: Environment): Promise<Outcome> {
  const { exitCode, out } = await run(['--json'], environment);
  const { rows } = JSON.parse(out) as { rows: DoctorRow[] }; // what the command prints
  return { exitCode, out, rows };
}

async function run(
  argv: readonly string[],
  environment: Environment,
): Promise<{ readonly exitCode: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  const doctor = runDoctor(argv, {
    environment: { HOST: '127.0.0.1', PORT: '0', STATE_FILE: join(folder, 'state.json'), ...environment },
    clock: systemClock,
    nodeVersion: process.versions.node,
    out: (text) => (out += text),
    err: (text) => (err += text),
    progress: () => undefined,
    signal: new AbortController().signal,
  });
  return { exitCode: await doctor.exitCode, out, err };
}

const rowOf = (rows: readonly DoctorRow[], area: string, check: string): DoctorRow | undefined =>
  rows.find((row) => row.area === area && row.check === check);

const containing = (text: string): unknown => expect.stringContaining(text);

/** A port of this machine that is in use, or, once the server is closed, is not. */
async function listen(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it listens on TCP');
  return { port: address.port, server };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/** The service itself, with the connectors ready and not connected. */
async function startService(): Promise<Environment> {
  const { port, server: placeholder } = await listen();
  await close(placeholder);
  const environment = {
    ...sandbox.twilio.environment(),
    HOST: '127.0.0.1',
    PORT: String(port),
    TWILIO_WEBHOOK_URL: `http://127.0.0.1:${port}/webhooks/twilio`,
  };
  const settings = readSettings(environment);
  const logger = createLogger('silent', { write: () => undefined });
  const service = new IngressEgressServer({
    config: settings.service,
    connectors: settings.connectors,
    bus: createBus(settings.service, logger),
    instanceId: 'doctor-test',
    clock: systemClock,
    logger,
    random: Math.random,
    store: createMemoryStore(),
  });
  await service.start();
  cleanUps.push(() => service.stop());
  return environment;
}

describe('the doctor', () => {
  it('finds all three platforms and the running service well', async () => {
    const environment = {
      ...sandbox.twitch.environment(),
      ...sandbox.discord.environment(),
      ...(await startService()),
      DEBUG_TOKEN: 'a-token-for-the-doctor',
    };
    const { exitCode, out, rows } = await runJson(environment);
    expect(rows.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect([...new Set(rows.map(({ area }) => area))]).toEqual([
      'settings',
      'service',
      'bus',
      'state',
      'twilio',
      'twitch',
      'discord',
    ]);
    expect(rowOf(rows, 'service', 'port')?.found).toContain('the service itself runs there');
    expect(exitCode).toBe(EXIT.healthy);
    for (const [name, value] of Object.entries(environment)) {
      if (/TOKEN|SECRET/.test(name)) expect(out).not.toContain(value);
    }
  });

  it('tells people the same, a line a check, with the counts at the end', async () => {
    const { exitCode, out } = await run([], {});
    expect(out).toMatch(/^settings\n {2}warning {2}settings .*\n.* -> set TWILIO_ENABLED/);
    expect(out).toMatch(/\n\d+ ok, 2 warnings, 0 faults\n$/);
    expect(exitCode).toBe(EXIT.healthy);
  });

  it('names the cure of a fault at a platform, and exits with 1', async () => {
    const environment = { ...sandbox.discord.environment(), DISCORD_BOT_TOKEN: 'a-wrong-token' };
    const { exitCode, out, rows } = await runJson(environment);
    expect(rowOf(rows, 'discord', 'token')).toMatchObject({
      status: 'fault',
      cure: containing('DISCORD_BOT_TOKEN'),
    });
    expect(out).not.toContain('a-wrong-token');
    expect(exitCode).toBe(EXIT.faults);
  });

  it('names the cure of a port that another program uses', async () => {
    const { port, server } = await listen();
    cleanUps.push(() => close(server));
    const { rows } = await runJson({ PORT: String(port) });
    expect(rowOf(rows, 'service', 'port')).toMatchObject({ status: 'fault', cure: containing('PORT') });
  });

  it('names the cure of a bus that is down', async () => {
    const { port, server } = await listen();
    await close(server);
    const { rows } = await runJson({
      MESSAGE_BUS_DRIVER: 'pubsub',
      GOOGLE_CLOUD_PROJECT: 'doctor',
      PUBSUB_EMULATOR_HOST: `127.0.0.1:${port}`,
    });
    expect(rowOf(rows, 'bus', 'bus')).toMatchObject({
      status: 'fault',
      cure: containing(`start the emulator at 127.0.0.1:${port}`),
    });
  });

  it('names the cure of a state file that another process uses', async () => {
    const other = createFileStore({ path: join(folder, 'state.json') });
    cleanUps.push(() => other.close(1_000));
    await other.get('anything');
    const { rows } = await runJson({});
    expect(rowOf(rows, 'state', 'store')).toMatchObject({
      status: 'fault',
      found: containing('LOCKED'),
      cure: containing('STATE_FILE'),
    });
  });

  it.each(['/proc/x/y', '/proc/state.json', '/dev/zero', '/dev/full', '/dev/null/x', '/', '/sys/x/y'])(
    'answers for STATE_FILE=%s',
    async (path) => {
      const { rows } = await runJson({ STATE_FILE: path });
      expect(rowOf(rows, 'state', 'store')).toMatchObject({
        status: 'fault',
        cure: containing('STATE_FILE'),
      });
    },
  );

  it('names the cure of a corrupt state file, and leaves it as it is', async () => {
    await writeFile(join(folder, 'state.json'), '{"half');
    const { rows } = await runJson({});
    expect(rowOf(rows, 'state', 'store')).toMatchObject({
      status: 'fault',
      found: containing('CORRUPT'),
      cure: containing('backup'),
    });
  });

  it('explains itself, and refuses what it does not understand', async () => {
    await expect(run(['--help'], {})).resolves.toMatchObject({
      exitCode: EXIT.healthy,
      out: containing('npm run doctor'),
    });
    await expect(run(['--cure'], {})).resolves.toMatchObject({
      exitCode: EXIT.notRun,
      err: containing('--cure'),
    });
  });
});

describeWithPubSubEmulator('the doctor on Pub/Sub', process.env, () => {
  let emulator: PubSubEmulator;

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
  }, 60_000);

  afterAll(async () => {
    await emulator.stop();
  });

  const environment = (): Environment => ({
    MESSAGE_BUS_DRIVER: 'pubsub',
    GOOGLE_CLOUD_PROJECT: 'doctor',
    PUBSUB_EMULATOR_HOST: emulator.host,
  });

  it('finds that topics and subscriptions can be made, again and again', async () => {
    for (const _ of ['once', 'twice']) {
      const { rows } = await runJson(environment());
      expect(rowOf(rows, 'bus', 'bus')).toMatchObject({ status: 'ok', found: containing(emulator.host) });
      expect(rowOf(rows, 'bus', 'topics')).toMatchObject({ status: 'ok' });
    }
  });

  it('makes nothing where it may not', async () => {
    const { rows } = await runJson({ ...environment(), PUBSUB_CREATE_MISSING: 'false' });
    expect(rowOf(rows, 'bus', 'topics')).toMatchObject({ status: 'ok', found: containing('not tried') });
    const elsewhere = await runJson({
      ...environment(),
      PUBSUB_CREATE_MISSING: 'false',
      BUS_PREFIX: 'bare.',
    });
    expect(rowOf(elsewhere.rows, 'bus', 'topics')).toMatchObject({
      status: 'fault',
      found: containing('gcloud pubsub topics create bare.internal.ingress.v1'),
    });
  });

  it('says whether anybody is subscribed to the messages of people', async () => {
    const fresh = { ...environment(), BUS_PREFIX: 'lonely.' };
    const before = await runJson(fresh);
    expect(rowOf(before.rows, 'bus', 'subscribers')).toMatchObject({
      status: 'fault',
      cure: containing('--topic=lonely.internal.ingress.v1'),
    });
    expect(before.exitCode).toBe(EXIT.faults);
    const bot = createBus(readSettings(fresh).service, createLogger('silent', { write: () => undefined }));
    cleanUps.push(() => bot.close(1_000));
    await bot.subscribe({ topic: 'lonely.internal.ingress.v1', subscription: 'a-bot' }, () =>
      Promise.resolve('ack'),
    );
    const after = await runJson(fresh);
    expect(rowOf(after.rows, 'bus', 'subscribers')).toMatchObject({ status: 'ok' });
  });
});
