import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { type MessageBus } from '../message-bus.js';
import { createPubSubBus } from './pubsub-bus.js';
import { Recorder } from '../testing.js';

const PATIENCE_MS = 10_000;
/** What gRPC says when a server cannot be reached. */
const UNAVAILABLE = '14';
/** The library's own back-off, doubling from 100 ms to a minute, would take five minutes for so many. */
const REFUSALS = 13;

describeWithPubSubEmulator('Pub/Sub subscription after an outage', process.env, () => {
  const recorder = new Recorder(PATIENCE_MS);
  let emulator: PubSubEmulator;
  let upstream: ClientHttp2Session;
  let proxy: Http2Server;
  let bus: MessageBus;
  const streams: ServerHttp2Stream[] = [];
  let isAway = false;
  let refusals = 0;

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
    upstream = connect(`http://${emulator.host}`);
    proxy = createServer().listen(0, '127.0.0.1');
    proxy.on('stream', (stream, headers) => {
      // A client that is gone is none of our business.
      stream.on('error', () => undefined);
      if (headers[':path']?.endsWith('/StreamingPull') === true) {
        if (isAway) {
          refusals++;
          recorder.notify();
          refuse(stream);
          return;
        }
        streams.push(stream);
        recorder.notify();
      }
      const call = upstream.request(headers);
      call.on('error', () => undefined);
      call.on('response', (answer, flags) => {
        const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
        if (!stream.destroyed) stream.respond(answer, endStream ? { endStream } : { waitForTrailers: true });
      });
      let trailers: IncomingHttpHeaders = {};
      call.on('trailers', (given: IncomingHttpHeaders) => {
        trailers = given;
      });
      stream.on('wantTrailers', () => {
        stream.sendTrailers(trailers);
      });
      stream.pipe(call).pipe(stream);
    });
    await once(proxy, 'listening');
    const address = proxy.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    bus = createPubSubBus({
      projectId: emulator.projectId,
      emulatorHost: `127.0.0.1:${address.port}`,
      createMissing: true,
      retryBackoff: { baseMs: 20, maxMs: 200 },
    });
  });

  afterAll(async () => {
    await bus.close(2000);
    upstream.destroy();
    proxy.close();
    await emulator.stop();
  });

  it('reads on as soon as the bus is back, however often it was refused before', async () => {
    await bus.subscribe({ topic: 'resume', subscription: 'resume-a', maxInFlight: 1 }, recorder.handler());
    await bus.publish('resume', { data: Buffer.from('before'), attributes: {} });
    await recorder.untilText('before');

    isAway = true;
    for (const stream of streams) stream.close();
    await recorder.until(`refused ${REFUSALS} times`, () => refusals >= REFUSALS);
    isAway = false;

    await bus.publish('resume', { data: Buffer.from('after'), attributes: {} });
    await recorder.untilText('after');
  });

  it('reads by a new stream when the clock was set back, for the old one may wait as long', async () => {
    const { now } = Date;
    const before = streams.length;
    Date.now = () => now() - 600_000;
    try {
      await recorder.until('a new stream', () => streams.length > before);
      await bus.publish('resume', { data: Buffer.from('later'), attributes: {} });
      await recorder.untilText('later');
    } finally {
      Date.now = now;
    }
  });
});

function refuse(stream: ServerHttp2Stream): void {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': UNAVAILABLE },
    { endStream: true },
  );
}
