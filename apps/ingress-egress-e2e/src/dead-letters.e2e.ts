import { type BusServer, describeOnBus, startBusServer } from './support/bus-server.js';
import { type CliRun, runDeadLetters } from './support/dead-letters-cli.js';
import { startService } from './support/service.js';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const BOT = 'bitbrat';
const TIMEOUT = { kind: 'request', target: 'tunnel', operation: 'sendMessage', status: 408 } as const;

/** Milliseconds in which tries are used up: some 12 seconds, and more on a machine that is busy with other things. */
const LETTER_MS = 50_000;

jest.setTimeout(2 * LETTER_MS + 20_000);

interface Letter {
  readonly id: string;
  readonly code: string;
  readonly event?: string;
  readonly topic: string;
  readonly replayOf?: string;
}

/** What somebody wrote. */
interface Written {
  /** The conversation. */
  readonly sid: string;
  /** Id of the event that answers. */
  readonly event: string;
}

for (const bus of ['memory', 'local'] as const) {
  const body = (): void => {
    let server: BusServer | undefined;
    let world: World;
    const written: Written[] = [];

    beforeAll(async () => {
      server = await startBusServer(bus);
      world = await World.start(server, { EGRESS_MAX_ATTEMPTS: '2' });
    });
    afterEach(async () => {
      world.sandbox.twilio.heal();
      // What a case that failed leaves under way or waiting would be the next one's failure, too.
      for (const each of written.splice(0)) await settle(each);
    });
    afterAll(async () => {
      const code = await world.stop();
      await server?.stop();
      expect(code).toBe(0);
    });

    const run = (...argv: string[]): Promise<CliRun> => runDeadLetters(world.service.url, ...argv);
    /** As the command gets them; to wait for letters, a process for each look would take long. */
    const letters = async (): Promise<readonly Letter[]> => {
      const response = await fetch(`${world.service.url}/_debug/dead-letters`);
      return ((await response.json()) as { letters: Letter[] }).letters; // as the service answers
    };
    const letterOf = (event: string): Promise<Letter> =>
      waitUntil(
        `the dead letter of ${event}`,
        async () => (await letters()).find((letter) => letter.event === event),
        LETTER_MS,
      );
    const answers = (sid: string): (string | null)[] =>
      world.sandbox.twilio.messages(sid).flatMap(({ author, body: text }) => (author === BOT ? [text] : []));
    const outcomesOf = (event: string): string[] =>
      world.service.logs.flatMap((line) =>
        line['event'] === event && /^egress\.(sent|failed|duplicate)$/.test(String(line['message']))
          ? [String(line['message'])]
          : [],
      );
    const outcomes = (event: string, count: number): Promise<string[]> =>
      waitUntil(`${count} outcomes of ${event}`, () =>
        outcomesOf(event).length >= count ? outcomesOf(event) : undefined,
      );
    const write = async (from: string, text: string): Promise<Written> => {
      const receipt = await world.sandbox.twilio.receiveMessage({ from, body: text });
      const entry = { sid: receipt.conversationSid, event: `reply:twilio:${receipt.messageSid}` };
      written.push(entry);
      return entry;
    };
    /** Resolves when it is answered and no letter of it waits; one that does is replayed. */
    const settle = ({ event, sid }: Written): Promise<true> =>
      waitUntil(
        `the end of ${event}`,
        async () => {
          const letter = (await letters()).find((each) => each.event === event);
          if (letter !== undefined) await run('replay', letter.id);
          const isAnswered = world.sandbox.twilio
            .messages(sid)
            .some(({ attributes }) => JSON.stringify(attributes).includes(event));
          return letter === undefined && isAnswered ? true : undefined;
        },
        LETTER_MS,
      );

    it('replays an answer whose tries were used up: it arrives once, and the letter is gone', async () => {
      world.sandbox.twilio.injectFault(TIMEOUT);
      const { event, sid } = await write('+15550401', 'a private text');
      const letter = await letterOf(event);
      expect(letter).toMatchObject({ code: 'TIMEOUT', attempts: 2 });
      world.sandbox.twilio.heal();

      const list = await run('list');
      expect(list.out).toContain(letter.id);
      expect(list.out).not.toMatch(/private|15550401/);
      expect((await run('show', letter.id)).out).not.toContain('private');
      expect((await run('show', letter.id, '--full')).out).toContain('a private text');

      expect(await run('replay', letter.id)).toMatchObject({ code: 0 });
      expect(await outcomes(event, 2)).toEqual(['egress.failed', 'egress.sent']);
      expect(answers(sid)).toEqual(['a private text']);
      expect(await letters()).toEqual([]);

      const again = await run('replay', letter.id);
      expect([again.code, again.out]).toEqual([
        0,
        expect.stringContaining('0 replayed, 1 replayed before, 0 refused'),
      ]);
      expect((await run('show', letter.id)).code).toBe(1);
    });

    it('replays all with one error code, and leaves the others', async () => {
      world.sandbox.twilio.injectFault(TIMEOUT);
      const slow = await Promise.all(
        ['+15550402', '+15550403', '+15550404'].map((from) => write(from, `hello ${from}`)),
      );
      for (const { event } of slow) await letterOf(event);
      world.sandbox.twilio.heal();
      world.sandbox.twilio.injectFault({ ...TIMEOUT, status: 403 });
      const forbidden = await write('+15550405', 'not this one');
      await letterOf(forbidden.event);
      world.sandbox.twilio.heal();

      const { code, out } = await run('replay', '--reason', 'TIMEOUT');
      expect([code, out]).toEqual([0, expect.stringContaining('3 replayed, 0 replayed before, 0 refused')]);
      for (const { event, sid } of slow) {
        await outcomes(event, 2);
        expect(answers(sid)).toHaveLength(1);
      }
      expect((await letters()).map(({ event }) => event)).toEqual([forbidden.event]);
      expect(await run('replay', '--reason', 'FORBIDDEN')).toMatchObject({ code: 0 });
      await outcomes(forbidden.event, 2);
      expect(answers(forbidden.sid)).toEqual(['not this one']);
    });

    it('sends nothing new where the message had arrived and its answer was lost', async () => {
      const { twilio } = world.sandbox;
      const first = await write('+15550406', 'first');
      await outcomes(first.event, 1);
      twilio.injectFault({
        kind: 'request',
        target: 'tunnel',
        operation: 'sendMessage',
        loseAnswer: 'drop',
        count: 1,
      });
      const arrived = twilio.waitForMessage(({ author, body: text }) => author === BOT && text === 'arrived');
      const { event, sid } = await write('+15550406', 'arrived');
      await arrived;
      // The second try cannot look whether the first has arrived.
      twilio.injectFault({ kind: 'request', target: 'rest', method: 'GET', path: '/Messages', status: 503 });
      const { id } = await letterOf(event);
      expect(answers(sid)).toEqual(['first', 'arrived']);
      twilio.heal();

      expect(await run('replay', id)).toMatchObject({ code: 0 });
      expect(await outcomes(event, 2)).toEqual(['egress.failed', 'egress.sent']);
      expect(answers(sid)).toEqual(['first', 'arrived']);
      expect(await letters()).toEqual([]);
    });

    if (bus === 'memory') return;

    it('makes a letter of a replay that fails, too, and says of which', async () => {
      const target = { connector: 'twilio', destination: `CH${'0'.repeat(32)}` };
      await world.bus.send({ id: 'nowhere', target });
      const first = await letterOf('nowhere');
      expect(first.code).toBe('TARGET_NOT_FOUND');
      expect(await run('replay', first.id)).toMatchObject({ code: 0 });
      const second = await waitUntil('the second letter', async () =>
        (await letters()).find(({ replayOf }) => replayOf === first.id),
      );
      expect(second).toMatchObject({ event: 'nowhere', code: 'TARGET_NOT_FOUND' });
    });

    it('keeps letters over a restart, and replays those of an instance that is gone', async () => {
      world.sandbox.twilio.injectFault(TIMEOUT);
      const { event, sid } = await write('+15550407', 'from before');
      const { id, topic } = await letterOf(event);
      expect(topic).toBe('internal.egress.v1.e2e');
      await world.service.stop();
      world.sandbox.twilio.heal();

      const next = await startService({ ...world.environment, EGRESS_INSTANCE_ID: 'next' });
      await next.ready();
      const { out } = await runDeadLetters(next.url, 'replay', id);
      expect(out).toContain('-> internal.egress.v1.next');
      await waitUntil('the answer', () => (answers(sid).length > 0 ? true : undefined));
      expect(await next.stop()).toBe(0);
      await world.startService();
      expect(answers(sid)).toEqual(['from before']);
    });
  };
  describeOnBus(bus, `dead letters on the ${bus} bus`, body);
}
