import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const GENERAL = '1000000000000000003';

/** Milliseconds between two copies of an event. */
const COPY_EVERY_MS = 3_000;

/** Processes that may die with an event in hand before it is set aside. */
const DEATHS = 3;

describeWithPubSubEmulator('an event that kills its process', process.env, () => {
  let emulator: PubSubEmulator | undefined;
  let world: World;

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
    world = await World.start(emulator, { ECHO_BOT_ENABLED: 'false' }, ['discord']);
  });
  afterAll(async () => {
    await world.stop();
    await emulator?.stop();
  });

  const target = { connector: 'discord', destination: GENERAL };
  const sends = (): number => world.sandbox.discord.stats().counters.rest['createMessage'] ?? 0;
  const outcomesOf = (id: string): string[] =>
    world.bus.outcomes.flatMap(({ eventId, status }) => (eventId === id ? [status] : []));

  /** Publishes it again and again: the emulator gives some copies to the dead process, and a bus may repeat any. */
  const publishUntil = async (id: string, what: string, check: () => boolean): Promise<void> => {
    const deadline = Date.now() + 120_000;
    while (!check()) {
      await world.bus.sendUnordered({ id, target, text: id });
      const seen = waitUntil(what, () => check() || undefined, COPY_EVERY_MS);
      if (Date.now() > deadline) await seen;
      else await seen.catch(() => undefined);
    }
  };

  it('is set aside after the third death: outcome unknown, a dead letter, and the next event goes out', async () => {
    const { discord } = world.sandbox;
    discord.injectFault({ kind: 'request', operation: 'createMessage', loseAnswer: 'silence' });
    for (let death = 1; death <= DEATHS; death += 1) {
      const before = sends();
      await publishUntil('deadly', `send ${death}`, () => sends() > before);
      await world.service.kill();
      expect(outcomesOf('deadly')).toEqual([]);
      await world.startService();
    }
    const before = sends();
    await publishUntil('deadly', 'an outcome', () => outcomesOf('deadly').length > 0);
    expect(outcomesOf('deadly')).toEqual(['unknown']);
    expect(sends()).toBe(before);
    const letter = await waitUntil('a dead letter', () =>
      world.bus.deadLetters.find(({ bodyBase64 }) =>
        Buffer.from(bodyBase64, 'base64').toString().includes('deadly'),
      ),
    );
    expect(letter.error.code).toBe('INTERNAL');
    discord.heal();
    await publishUntil('harmless', 'the next event', () => outcomesOf('harmless').length > 0);
    expect(outcomesOf('harmless')).toEqual(['sent']);
    const texts = discord.messages(GENERAL).map(({ content }) => content);
    expect(texts).toEqual(['deadly', 'harmless']);
    expect(outcomesOf('deadly')).toEqual(['unknown']);
  }, 300_000);
});
