import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { BodyReader, type BodyRefusedError } from './body-reader.js';

const limits = { bodyBytes: 10_000, heldBytes: 20_000 };

function aRequest(headers: Record<string, string> = {}): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return request;
}

/** What reading came to: the bytes, or the status that refuses them. */
const outcomeOf = (reading: Promise<Buffer>): Promise<Buffer | number> =>
  reading.catch((error: unknown) => (error as BodyRefusedError).statusCode); // the only error that it throws

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const never = new Promise<void>(() => undefined);

describe('BodyReader', () => {
  it('gives every body within its bound byte for byte, however it is cut, and refuses all others', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(chunks, async (parts) => {
        const reader = new BodyReader(limits);
        const request = aRequest();
        const reading = outcomeOf(reader.read(request, Promise.resolve()));
        for (const part of parts) request.push(Buffer.from(part));
        request.push(null);
        const whole = Buffer.concat(parts);
        expect(await reading).toEqual(whole.length > limits.bodyBytes ? 413 : whole);
      }),
      { verbose: true },
    );
  });

  it('refuses what announces too much before a byte is read', async () => {
    const request = aRequest({ 'content-length': '10001' });
    await expect(new BodyReader(limits).read(request, never)).rejects.toMatchObject({ statusCode: 413 });
    expect(request.readableFlowing).toBeNull();
  });

  it('holds a body until its request is answered, and no byte longer', async () => {
    const reader = new BodyReader(limits);
    const answered = deferred();
    const request = aRequest();
    const reading = reader.read(request, answered.promise);
    request.push(Buffer.alloc(5_000));
    request.push(null);
    await reading;
    expect(reader.held).toBe(5_000);
    answered.resolve();
    await answered.promise;
    expect(reader.held).toBe(0);
  });

  it('refuses the oldest body that is still arriving when all together are too many', async () => {
    const reader = new BodyReader(limits);
    const requests = [1, 2, 3].map(() => aRequest());
    const readings = requests.map((request) => outcomeOf(reader.read(request, never)));
    for (const request of requests) request.push(Buffer.alloc(9_000));
    expect(await readings[0]).toBe(503);
    for (const request of requests.slice(1)) request.push(null);
    expect(await Promise.all(readings.slice(1))).toEqual([Buffer.alloc(9_000), Buffer.alloc(9_000)]);
    expect(reader.held).toBeLessThanOrEqual(limits.heldBytes);
  });

  it('refuses a newcomer where all others wait for their answers', async () => {
    const reader = new BodyReader(limits);
    for (const request of [aRequest(), aRequest()]) {
      const reading = reader.read(request, never);
      request.push(Buffer.alloc(9_000));
      request.push(null);
      await reading;
    }
    const late = aRequest();
    const reading = outcomeOf(reader.read(late, never));
    late.push(Buffer.alloc(9_000));
    expect(await reading).toBe(503);
  });

  it('reports a body that ends early', async () => {
    const request = aRequest({ 'content-length': '10' });
    const reading = outcomeOf(new BodyReader(limits).read(request, never));
    request.push('x');
    request.destroy();
    expect(await reading).toBe(400);
  });
});
