import { type AddressInfo, connect } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { Wire } from './wire.js';

describe('Wire', () => {
  let app: FastifyInstance;
  let wire: Wire;

  beforeEach(async () => {
    app = Fastify();
    wire = new Wire();
    wire.guard(app);
    app.get('/things/:id', () => Promise.resolve('thing'));
    await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    wire.heal();
    await app.close();
  });

  const ask = (path: string): Promise<{ statusCode: number; body: string }> => app.inject(path);

  it('logs every request by its route, known or not', async () => {
    await ask('/things/1?x=2');
    await ask('/nothing');
    expect(wire.log).toEqual(['GET /things/:id', 'GET *']);
    wire.clear();
    expect(wire.log).toEqual([]);
  });

  it.each(['json', 'html', 'empty'] as const)(
    'answers with a status and a body (%s), as often as told',
    async (body) => {
      wire.arm({ name: 'GET /things/:id', answer: { kind: 'status', status: 418, body }, count: 2 });
      const answers = [await ask('/things/1'), await ask('/things/2'), await ask('/things/3')];
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([418, 418, 200]);
      expect(answers[0]?.body.length === 0).toBe(body === 'empty');
      expect(wire.strikes).toBe(2);
    },
  );

  it('strikes the request that is named, and none once it is healed', async () => {
    wire.arm({ name: 'GET /other', answer: { kind: 'status', status: 500, body: 'json' } });
    expect((await ask('/things/1')).statusCode).toBe(200);
    wire.arm({ name: 'GET /things/:id', answer: { kind: 'status', status: 500, body: 'json' } });
    wire.heal();
    expect((await ask('/things/1')).statusCode).toBe(200);
  });

  it.each(['cut', 'garbage', 'hang'] as const)('gives no HTTP answer: %s', async (kind) => {
    wire.arm({ name: 'GET /things/:id', answer: { kind } });
    const { port } = app.server.address() as AddressInfo; // listening on TCP
    const received = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('GET /things/1 HTTP/1.1\r\nhost: x\r\n\r\n');
      });
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve(text);
      });
      if (kind !== 'hang') return;
      const healed = setInterval(() => {
        if (wire.strikes === 0) return;
        clearInterval(healed);
        wire.heal();
      }, 5);
    });
    expect(received.length > 0).toBe(kind === 'garbage');
    expect(received).not.toContain('HTTP');
  });

  it.each<[Parameters<Wire['arm']>[0]['answer'], string]>([
    [{ kind: 'cut' }, 'reset'],
    [{ kind: 'status', status: 500, body: 'json' }, 'reset'],
    [{ kind: 'garbage' }, 'sent'],
    [{ kind: 'hang' }, ''],
  ])('answers inside an open socket: %j', (answer, expected) => {
    let done = '';
    const peer = { send: () => (done += 'sent'), reset: () => (done += 'reset') };
    wire.arm({ name: 'irc NICK', answer });
    expect([wire.strikesInside('irc JOIN', peer), wire.strikesInside('irc NICK', peer)]).toEqual([
      false,
      true,
    ]);
    expect(done).toBe(expected);
  });
});
