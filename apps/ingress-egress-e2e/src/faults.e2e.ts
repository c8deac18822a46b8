import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { BusProxy } from './campaign/machinery/bus-proxy.js';
import { type Injection, Injector } from './campaign/machinery/injector.js';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const BOT = 'bitbrat';
const NUMBERS = Array.from({ length: 10 }, (_, index) => `+155503${String(index).padStart(2, '0')}`);

describeWithPubSubEmulator('faults, caused for real', process.env, () => {
  let emulator: PubSubEmulator | undefined;
  let injector: Injector;
  let proxy: BusProxy;
  let world: World;

  beforeEach(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
    // The emulator goes on lending messages to the calls of a process that was killed, unless they are ended in good order.
    proxy = await BusProxy.start(emulator.host);
    injector = new Injector();
    world = await World.start(emulator, {
      TWILIO_SWEEP_SECONDS: '5',
      PUBSUB_EMULATOR_HOST: proxy.host,
      NODE_OPTIONS: injector
        .nodeArguments(join(import.meta.dirname, 'campaign/faults/injector.mjs'))
        .join(' '),
    });
  });
  afterEach(async () => {
    await world.stop();
    await proxy.close();
    injector.close();
    await emulator?.stop();
  });

  /** Ten people write `count` messages each while `disturb` does its work. Resolves with the envelopes' ids, in order per conversation. */
  async function write(
    count: number,
    disturb: (round: number) => Promise<void>,
  ): Promise<Map<string, string[]>> {
    const expected = new Map<string, string[]>();
    for (let round = 1; round <= count; round += 1) {
      await Promise.all(
        NUMBERS.map(async (from) => {
          const receipt = await world.sandbox.twilio.receiveMessage({ from, body: `${from} ${round}` });
          const ids = expected.get(receipt.conversationSid) ?? [];
          expected.set(receipt.conversationSid, [...ids, `twilio:${receipt.messageSid}`]);
        }),
      );
      await disturb(round);
    }
    return expected;
  }

  async function account(expected: Map<string, string[]>): Promise<void> {
    const all = [...expected.values()].flat();
    await waitUntil(
      'each message published',
      () => {
        const ids = new Set(world.bus.envelopes.map(({ id }) => id));
        return all.every((id) => ids.has(id)) ? true : undefined;
      },
      100_000,
    );
    await waitUntil('each message answered', () => (answered() >= all.length ? true : undefined), 100_000);
    const published = world.bus.uniqueEnvelopes();
    expect(published.map(({ id }) => id).sort()).toEqual([...all].sort());
    for (const [sid, ids] of expected) {
      const inOrder = published.filter(({ channel }) => channel.id === sid).map(({ id }) => id);
      expect(inOrder).toEqual(ids);
      expect(answersIn(sid).sort()).toEqual(ids.map((id) => `reply:${id}`).sort());
    }
  }

  const answered = (): number =>
    world.sandbox.twilio.conversations().reduce((sum, { sid }) => sum + answersIn(sid).length, 0);

  const answersIn = (sid: string): string[] =>
    world.sandbox.twilio
      .messages(sid)
      .filter(({ author }) => author === BOT)
      .map(({ attributes }) => (attributes as { bitbrat: { eventId: string } }).bitbrat.eventId); // as the connector writes them

  it('loses and doubles nothing when the WebSocket drops under load and nothing is replayed', async () => {
    const expected = await write(12, (round) => {
      if (round % 3 === 0) world.sandbox.twilio.injectFault({ kind: 'drop', replay: false });
      return Promise.resolve();
    });
    await account(expected);
    expect(world.sandbox.twilio.stats().counters).toMatchObject({
      'tunnel configuration': expect.any(Number) as number,
    });
  });

  /** What happens before a round's messages are written, and after them. */
  type Disturbances = Readonly<Record<number, () => Promise<void> | void>>;

  it.each<[string, () => Disturbances]>([
    ['the service is killed and started again', () => ({ 6: restart(() => world.service.kill()) })],
    [
      'the service is told to end under load and started again',
      () => ({ 6: restart(() => world.service.stop()) }),
    ],
    [
      'the service is killed while Twilio is at work on what it sends',
      () => whileTwilioIsAtWork(() => world.service.kill()),
    ],
    [
      'the service is told to end while Twilio is at work on what it sends',
      () => whileTwilioIsAtWork(() => world.service.stop()),
    ],
    [
      'the service is killed with messages in hand that the bus cannot take',
      () => ({
        4: () => {
          proxy.state.hanging = true;
        },
        8: restart(async () => {
          await world.service.kill();
          proxy.state.hanging = false;
        }),
      }),
    ],
    [
      'the service stands still for a while',
      () => ({
        4: () => void process.kill(world.service.pid, 'SIGSTOP'),
        12: () => void process.kill(world.service.pid, 'SIGCONT'),
      }),
    ],
    [
      'connections to the bus are cut off',
      () => ({
        4: () => {
          proxy.cut();
        },
        8: () => {
          proxy.cut();
        },
      }),
    ],
    [
      'the bus refuses connections',
      () => ({
        4: () => {
          proxy.state.refusing = true;
          proxy.cut();
        },
        12: async () => {
          await logged('bus.publish.failing');
          proxy.state.refusing = false;
        },
      }),
    ],
    [
      'the bus does not answer',
      () => ({
        4: () => {
          proxy.state.hanging = true;
        },
        12: async () => {
          await logged('bus.publish.failing');
          proxy.state.hanging = false;
        },
      }),
    ],
    [
      'the bus is slow',
      () => ({
        1: () => {
          proxy.state.delayMs = 40;
        },
      }),
    ],
    ['the state is slow', () => injected({ diskMs: 1_000 })],
    ['the clock is ten minutes ahead for a while', () => injected({ clockMs: 600_000 })],
    ['the clock is ten minutes behind for a while', () => injected({ clockMs: -600_000 })],
    [
      'the state cannot be read or written',
      () => {
        const folder = dirname(world.environment['STATE_FILE'] ?? '');
        return {
          4: async () => {
            await rename(folder, `${folder}.away`);
            await writeFile(folder, '');
          },
          12: async () => {
            await rm(folder);
            await rename(`${folder}.away`, folder);
          },
        };
      },
    ],
  ])(
    'loses and doubles nothing when %s',
    async (_, disturbances) => {
      const at = disturbances();
      await account(await write(12, async (round) => at[round]?.()));
    },
    240_000, // what a process had in hand comes again when its lease with the bus has ended
  );

  const injected = (injection: Partial<Injection>): Disturbances => ({
    4: () => {
      injector.set(injection);
    },
    12: async () => {
      // More than was written before: something was answered while it lasted.
      await waitUntil('answers', () => (answered() > 4 * NUMBERS.length ? true : undefined), 60_000);
      injector.heal();
    },
  });

  const whileTwilioIsAtWork = (end: () => Promise<unknown>): Disturbances => {
    const begun = (): number => world.sandbox.twilio.stats().counters['tunnel sendMessage'] ?? 0;
    return {
      4: async () => {
        const request = { kind: 'request', target: 'tunnel', operation: 'sendMessage' } as const;
        const before = begun();
        // Longer than the service takes to end and to be back.
        world.sandbox.twilio.injectFault({ ...request, delayMs: 7_000, count: NUMBERS.length });
        await waitUntil('answers on their way', () => (begun() > before ? true : undefined));
        await restart(end)();
      },
    };
  };

  const restart = (end: () => Promise<unknown>) => async (): Promise<void> => {
    await end();
    await world.startService();
  };

  const logged = (event: string): Promise<unknown> =>
    waitUntil(event, () => world.service.logs.find(({ message }) => message === event));
});
