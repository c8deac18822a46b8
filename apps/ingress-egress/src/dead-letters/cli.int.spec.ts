import { ConnectorManager } from '@bitbrat/connectors-core';
import { createTopics, encodeDeadLetter } from '@bitbrat/envelope';
import { silentLogger, systemClock } from '@bitbrat/foundation';
import { createMemoryBus, type MessageBus } from '@bitbrat/message-bus';
import { toDeadLetter } from '../egress/outcomes.js';
import { createHttpServer, type HttpServer } from '../http/http-server.js';
import { runCli } from './cli.js';
import { DeadLetterDesk } from './dead-letter-desk.js';

const TOPICS = createTopics();
/** As long as the parts of an id may be. */
const EGRESS = TOPICS.egress('i'.repeat(128));
const TOKEN = 'a-long-debug-token';
describe('dead-letters', () => {
  let bus: MessageBus;
  let desk: DeadLetterDesk;
  let http: HttpServer;
  let url: string;

  beforeAll(async () => {
    bus = createMemoryBus();
    const services = { bus, clock: systemClock, logger: silentLogger };
    desk = new DeadLetterDesk(services, { topics: TOPICS, egressTopic: EGRESS });
    await desk.start();
    const manager = new ConnectorManager([], {
      publish: () => Promise.resolve(),
      egressTopic: EGRESS,
      cursorsFor: () => ({ load: () => Promise.resolve(undefined), save: () => Promise.resolve() }),
      clock: systemClock,
      logger: silentLogger,
      random: Math.random,
      onStateChanged: () => Promise.resolve(true),
    });
    http = createHttpServer({ ...services, manager, desk, debugToken: TOKEN });
    url = `http://127.0.0.1:${await http.listen('127.0.0.1', 0)}`;
    for (const [id, code] of [
      ['1', 'TIMEOUT'],
      ['2', 'FORBIDDEN'],
      ['3', 'TIMEOUT'],
    ] as const) {
      const message = { id, topic: EGRESS, data: Buffer.from(`text ${id}`), attributes: {} };
      const letter = toDeadLetter(message, { code, message: 'no', retryable: false }, 1, Number(id));
      const encoded = encodeDeadLetter(letter, '/test');
      if (!encoded.ok) throw new Error(encoded.fault.detail);
      await bus.publish(TOPICS.deadLetter, encoded.value);
    }
  });
  afterAll(async () => {
    await desk.stop();
    await http.close();
    await bus.close(1_000);
  });

  const run = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
    const said = { out: '', err: '' };
    const code = await runCli(['--url', url, '--token', TOKEN, ...argv], {
      fetch,
      out: (text) => (said.out += text),
      err: (text) => (said.err += text),
    });
    return { code, ...said };
  };

  it('lists, shows, replays, and replays nothing twice', async () => {
    const listed = await run('list');
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(listed.out).toContain('3 letters');
    expect(listed.out).not.toContain('text 1');

    const shown = await run('show', `${EGRESS}:1`, '--full', '--json');
    expect(JSON.parse(shown.out)).toMatchObject({ id: `${EGRESS}:1`, code: 'TIMEOUT', body: 'text 1' });
    expect((await run('show', `${EGRESS}:1`)).out).not.toContain('text 1');

    const byId = await run('replay', `${EGRESS}:2`);
    expect([byId.code, byId.out]).toEqual([0, expect.stringContaining('1 replayed, 0 replayed before')]);
    const again = await run('replay', `${EGRESS}:2`);
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('0 replayed, 1 replayed before')]);

    const byReason = await run('replay', '--reason', 'TIMEOUT');
    expect([byReason.code, byReason.out]).toEqual([0, expect.stringContaining('2 replayed')]);
    expect((await run('list')).out).toBe('No dead letters wait.\n');
  });

  it.each([
    ['a letter that does not wait', ['show', 'none'], 1, 'no letter none waits'],
    ['wrong arguments', ['list', 'x'], 64, 'did you mean show?'],
    ['a wrong token', ['list', '--token', 'wrong'], 69, 'the token is not its DEBUG_TOKEN'],
    ['no token', ['list', '--token', ''], 69, 'set DEBUG_TOKEN for the service and for this command'],
    ['no service', ['list', '--url', 'http://127.0.0.1:9'], 69, 'start the service'],
    ['another service', ['list', '--url', 'URL/healthz'], 69, '404'],
  ])('says what is wrong: %s', async (_name, argv, code, message) => {
    const result = await run(...argv.map((argument) => argument.replace('URL', url)));
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });

  it('refuses a letter that does not wait', async () => {
    const result = await run('replay', 'none');
    expect([result.code, result.out]).toEqual([1, expect.stringContaining('NOT_WAITING')]);
  });

  it.each([
    ['a body that is no JSON', '{', 'application/json', 400],
    ['neither ids nor a reason', '{}', 'application/json', 400],
    ['both', '{"ids":["a"],"reason":"TIMEOUT"}', 'application/json', 400],
    ['what a web page may send to another origin', '{"reason":"TIMEOUT"}', 'text/plain', 415],
  ])('answers %s with an error', async (_name, body, type, status) => {
    const response = await fetch(`${url}/_debug/dead-letters/replay`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, authorization: `Bearer ${TOKEN}` },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.stringContaining('expected') as string });
  });

  it.each(['', '/x', '/replay'])('hides /_debug/dead-letters%s from who has no token', async (path) => {
    const init = path === '/replay' ? { method: 'POST', body: '{}' } : {};
    const response = await fetch(`${url}/_debug/dead-letters${path}`, init);
    expect([response.status, await response.json()]).toEqual([404, { error: 'not found' }]);
  });
});
