import { type BusServer, startBusServer } from '../support/bus-server.js';
import { waitUntil } from '../support/wait-until.js';
import { PLATFORMS, World } from '../support/world.js';
import { ATTACHMENT_ATTACKS, startAttachmentServer } from './attachment-server.js';
import { BUS_BODIES, HTTP_ATTACKS, TWITCH_LINES, WEBHOOK_BODIES } from './attacks.js';
import { discordFrames, type HostileFrame, twilioFrames } from './frames.js';
import { LivenessProbe, LoopWatch } from './liveness-probe.js';
import { openRaw, type RawClient } from './raw-client.js';

/** `/livez` answers within it in 99 of 100 cases, as far as that is up to the service: its work holds the event loop up no longer. */
const P99_MS = 100;

/** The same seen from outside. Attackers, sandbox, emulator and other suites share two cores with the service. */
const P99_OUTSIDE_MS = 1_000;

/** MiB: beyond it the process of Node ends by itself. */
const HEAP_MIB = 192;

/** MiB of the whole process: heap, code, buffers of sockets and 32 MiB of bodies. */
const RESIDENT_MIB = 450;

/** Emulator, sandbox and service, on a busy machine. */
const START_MS = 150_000;

const GENERAL = '1000000000000000003';

/** Errors that the attacks explain. */
const EXPLAINED = /^(?:egress\.dead-letter|(?:discord|twilio)\.(?:event-unhandled|message-unreadable))$/;

/** Milliseconds until a platform is connected again: the supervisor's longest wait is a minute, and the machine is busy. */
const RECOVERY_MS = 90_000;

describe('a hostile world', () => {
  let server: BusServer | undefined;
  let attachments: Awaited<ReturnType<typeof startAttachmentServer>>;
  let world: World;
  let probe: LivenessProbe;
  let loop: LoopWatch;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    server = await startBusServer('local');
    attachments = await startAttachmentServer();
    loop = await LoopWatch.create();
    const extra = {
      ECHO_BOT_ENABLED: 'false',
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB} ${loop.nodeOption}`,
      DISCORD_ATTACHMENT_HOSTS: attachments.host,
      DISCORD_REQUEST_TIMEOUT_SECONDS: '2',
      // A server that ends early is tried again otherwise, for minutes.
      EGRESS_MAX_ATTEMPTS: '1',
    };
    world = await World.start(server, extra, PLATFORMS);
    probe = new LivenessProbe(world.service.url, world.service.pid);
  }, START_MS);
  afterAll(async () => {
    for (const { socket } of clients) socket.destroy();
    expect(await world.stop()).toBe(0);
    probe.kill();
    await loop.dispose();
    attachments.close();
    await server?.stop();
  });

  const open = (bytes: string | Buffer): RawClient => {
    const client = openRaw(world.service.url, bytes);
    clients.push(client);
    return client;
  };
  const untilClosed = (what: string, group: readonly RawClient[]): Promise<true> =>
    waitUntil(what, () => (group.every(({ isClosed }) => isClosed()) ? true : undefined), 40_000);
  /** Waits until both are equal, and shows where they differ if they never are. */
  const eventually = async (seen: () => unknown, expected: unknown): Promise<void> => {
    const isEqual = (): true | undefined =>
      JSON.stringify(seen()) === JSON.stringify(expected) ? true : undefined;
    await waitUntil('what is expected', isEqual, 40_000).catch(() => undefined);
    expect(seen()).toEqual(expected);
  };
  const letterOf = (body: string) =>
    world.bus.deadLetters.find(({ bodyBase64 }) => {
      const bytes = Buffer.from(bodyBase64, 'base64').toString();
      return bytes === body || (bytes !== '' && body.length > 100_000 && body.startsWith(bytes));
    });

  it('answers every malformed or endless request as it should, side by side', async () => {
    const group = HTTP_ATTACKS.map(([name, bytes]) => ({ name, client: open(bytes) }));
    await waitUntil(
      'all but the floods to be closed',
      () => {
        const late = group.filter(({ client }) => !client.isClosed() && client.status() === '');
        return late.length === 0 ? true : undefined;
      },
      40_000,
    );
    const flood = 'a flood on one connection';
    // A flood may be cut off before its first answer has left.
    expect(
      group.filter(({ name }) => name !== flood).map(({ client, name }) => [name, client.status()]),
    ).toEqual(HTTP_ATTACKS.filter(([name]) => name !== flood).map(([name, , status]) => [name, status]));
  });

  it('closes 800 slow connections, and answers under them', async () => {
    const slow = Array.from({ length: 800 }, () => open('GET /livez HTTP/1.1\r\nX-A: '));
    await untilClosed('800 connections', slow);
  });

  it.each(WEBHOOK_BODIES)('refuses an unsigned webhook of 1 MB: %s', async (_name, type, body) => {
    const response = await fetch(`${world.service.url}/webhooks/twilio`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, 'x-twilio-signature': 'AAAA' },
    });
    expect(response.status).toBe(type === 'application/octet-stream' ? 415 : 403);
  });

  it('logs a flood of unsigned webhooks once', async () => {
    const lines = (): number =>
      world.service.logs.filter(({ message }) => message === 'twilio.webhook-refused').length;
    const before = lines();
    for (let round = 0; round < 20; round += 1) {
      const answers = Array.from({ length: 50 }, () =>
        fetch(`${world.service.url}/webhooks/twilio`, {
          method: 'POST',
          body: `n=${round}`,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }).then(({ status }) => status),
      );
      expect(new Set(await Promise.all(answers))).toEqual(new Set([403]));
    }
    // A summary of the minute before may come in between.
    expect(lines() - before).toBeLessThanOrEqual(3);
  });

  it('turns whatever is no event into a dead letter', async () => {
    for (const [, body] of BUS_BODIES) await world.bus.sendBytes(body);
    const codes = (): string[][] =>
      BUS_BODIES.map(([name, body, code]) => {
        const letter = letterOf(body);
        return [name, letter === undefined ? 'none' : code === '' ? '' : letter.error.code];
      });
    await eventually(
      codes,
      BUS_BODIES.map(([name, , code]) => [name, code]),
    );
  });

  it('ends every event whose attachment is hostile', async () => {
    const urls = [
      ...Object.keys(ATTACHMENT_ATTACKS).map((name) => `http://${attachments.host}/${name}`),
      'https://attachments.invalid/no-address.png',
    ];
    for (const url of urls) {
      const target = { connector: 'discord', destination: GENERAL };
      await world.bus.send({ id: url, target, text: 'x', attachments: [{ url }] });
    }
    const statuses = (): (string | undefined)[][] =>
      urls.map((url) => [url, world.bus.outcomes.find(({ eventId }) => eventId === url)?.status]);
    await eventually(
      statuses,
      urls.map((url) => [url, 'failed']),
    );
  });

  it('hears what is written to Twitch after lines that make no sense', async () => {
    for (const line of TWITCH_LINES) world.sandbox.twitch.sendEvent({ kind: 'raw', line });
    world.sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text: 'still there?' });
    await waitUntil('the envelope', () => world.bus.envelopes.find(({ text }) => text === 'still there?'));
  });

  /** Sends frame after frame, each to a connection that works, and expects the next message after each. */
  const expectToSurvive = async (
    frames: readonly HostileFrame[],
    send: (fault: { kind: 'raw'; as: HostileFrame['as']; base64: string }) => unknown,
    write: (text: string) => unknown,
  ): Promise<void> => {
    for (const { as, bytes, name } of frames) {
      send({ kind: 'raw', as, base64: bytes.toString('base64') });
      const text = `after ${name}`;
      await write(text);
      const arrived = (): true | undefined =>
        world.bus.envelopes.some((seen) => seen.text === text) || undefined;
      await waitUntil(`a message ${text}`, arrived, RECOVERY_MS);
    }
  };

  it('hears what is written to Discord after each frame that makes no sense', async () => {
    const { discord } = world.sandbox;
    await expectToSurvive(
      discordFrames(),
      (fault) => discord.injectFault(fault),
      (content) => discord.receiveMessage({ channelId: GENERAL, author: 'ada', content }),
    );
  }, 400_000);

  it('hears what is written to Twilio after each frame that makes no sense', async () => {
    const { twilio } = world.sandbox;
    await expectToSurvive(
      twilioFrames(),
      (fault) => twilio.injectFault(fault),
      (body) => twilio.receiveMessage({ from: '+15550100', body }),
    );
  }, 400_000);

  it('is the same process, has answered throughout, holds little memory and has logged no other error', async () => {
    const answers = await probe.stop();
    const heldUp = loop.read();
    process.stdout.write(`/livez ${JSON.stringify(answers)}; event loop ${JSON.stringify(heldUp)}\n`);
    expect(answers.asked).toBeGreaterThan(100);
    expect(answers.failures).toBe(0);
    expect(answers.p99Ms).toBeLessThan(P99_OUTSIDE_MS);
    expect(heldUp.turns).toBeGreaterThan(1_000);
    expect(heldUp.p99Ms).toBeLessThan(P99_MS);
    expect(probe.residentMib()).toBeLessThan(RESIDENT_MIB);
    await world.service.ready();
    const errors = world.service.logs.filter(
      ({ message, severity }) => severity === 'ERROR' && !EXPLAINED.test(String(message)),
    );
    expect(errors).toEqual([]);
  });
});
