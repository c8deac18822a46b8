import { once } from 'node:events';
import { connect } from 'node:net';
import { type Message, PubSub, type Subscription } from '@google-cloud/pubsub';
import { type LocalBusServer, startLocalBus } from './local-bus-server.js';

const PROJECT = 'local';

/** A bus of its own for each case, and clients that know nothing of it but its address. */
describe('the local bus', () => {
  let server: LocalBusServer;
  let client: PubSub;

  beforeEach(async () => {
    server = await startLocalBus();
    client = connectClient();
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  const connectClient = (): PubSub =>
    new PubSub({ projectId: PROJECT, apiEndpoint: server.address, emulatorMode: true });

  const collect = async (
    subscription: Subscription,
    count: number,
    handle: (message: Message) => void = (message) => {
      message.ack();
    },
  ): Promise<string[]> => {
    const texts: string[] = [];
    await new Promise<void>((resolve, reject) => {
      subscription.on('error', reject);
      subscription.on('message', (message: Message) => {
        handle(message);
        texts.push(message.data.toString());
        if (texts.length === count) resolve();
      });
    });
    return texts.slice(0, count);
  };

  const rest = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`http://${server.address}/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };

  it('serves topics and subscriptions to the vendor client', async () => {
    const [topic] = await client.createTopic('things');
    const [subscription] = await topic.createSubscription('reader', {
      enableMessageOrdering: true,
      ackDeadlineSeconds: 30,
      retryPolicy: { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: 2 } },
      messageRetentionDuration: { seconds: 600 },
      labels: { kind: 'test' },
    });
    expect(await topic.exists()).toEqual([true]);
    expect(await client.topic('others').exists()).toEqual([false]);
    const [metadata] = await subscription.getMetadata();
    expect(metadata).toMatchObject({
      name: 'projects/local/subscriptions/reader',
      topic: 'projects/local/topics/things',
      ackDeadlineSeconds: 30,
      enableMessageOrdering: true,
      state: 'ACTIVE',
      labels: { kind: 'test' },
    });
    await subscription.setMetadata({ ackDeadlineSeconds: 60, labels: {} });
    expect((await subscription.getMetadata())[0]).toMatchObject({ ackDeadlineSeconds: 60 });
    for (const name of ['b', 'c']) await client.createTopic(`topic-${name}`);
    const [page, next] = await client.getTopics({ pageSize: 2, autoPaginate: false });
    expect([page.length, next !== undefined]).toEqual([2, true]);
    expect((await client.getTopics())[0]).toHaveLength(3);
    expect((await topic.getSubscriptions())[0].map(({ name }) => name)).toEqual([
      'projects/local/subscriptions/reader',
    ]);
    await subscription.delete();
    await topic.delete();
    await expect(topic.publishMessage({ data: Buffer.from('a') })).rejects.toMatchObject({ code: 5 });
  });

  it('delivers in order, redelivers what is nacked, and what a reader that is gone had', async () => {
    const [topic] = await client.createTopic('things');
    topic.setPublishOptions({ messageOrdering: true });
    const [made] = await topic.createSubscription('reader', {
      enableMessageOrdering: true,
      ackDeadlineSeconds: 10,
    });
    await made.close();
    const texts = Array.from({ length: 50 }, (_, n) => `m${n}`);
    await Promise.all(
      texts.map((text) => topic.publishMessage({ data: Buffer.from(text), orderingKey: 'k' })),
    );

    // A reader that has ten messages, and is never heard of again.
    const pulled = await rest('POST', 'projects/local/subscriptions/reader:pull', { maxMessages: 10 });
    const { receivedMessages: held } = pulled.body as { receivedMessages: object[] };
    expect(held).toHaveLength(10);

    let nacked = false;
    const reader = client.subscription('reader');
    const got = await collect(reader, 51, (message) => {
      const fails = !nacked && message.data.toString() === 'm0';
      nacked ||= fails;
      if (fails) message.nack();
      else message.ack();
    });
    await reader.close();
    // The nacked first message and all behind it come again; what was held before comes in order.
    expect(got.filter((text, index) => got.indexOf(text) === index)).toEqual(texts);
    expect(got.filter((text) => text === 'm0')).toHaveLength(2);
  }, 60_000);

  it('speaks REST', async () => {
    const topic = 'projects/local/topics/things';
    const subscription = 'projects/local/subscriptions/reader';
    expect(await rest('PUT', topic, {})).toEqual({ status: 200, body: { name: topic } });
    expect(await rest('PUT', topic, {})).toMatchObject({
      status: 409,
      body: { error: { status: 'ALREADY_EXISTS' } },
    });
    const made = await rest('PUT', subscription, {
      topic,
      enableMessageOrdering: true,
      messageRetentionDuration: '600s',
      retryPolicy: { minimumBackoff: '0.5s' },
      expirationPolicy: {},
    });
    expect(made.body).toMatchObject({
      ackDeadlineSeconds: 10,
      retryPolicy: { minimumBackoff: '0.5s' },
      state: 'ACTIVE',
    });
    const published = await rest('POST', `${topic}:publish`, {
      messages: [
        { data: Buffer.from('häé').toString('base64'), attributes: { 'ce-id': '1' }, orderingKey: 'k' },
      ],
    });
    expect(published.body).toEqual({ messageIds: [expect.any(String)] });
    const { body } = await rest('POST', `${subscription}:pull`, { maxMessages: 10 });
    const { receivedMessages } = body as { receivedMessages: { ackId: string; message: object }[] };
    expect(receivedMessages).toEqual([
      {
        ackId: expect.any(String) as string,
        message: {
          data: Buffer.from('häé').toString('base64'),
          attributes: { 'ce-id': '1' },
          messageId: expect.any(String) as string,
          publishTime: expect.stringMatching(/^\d{4}-.*Z$/) as string,
          orderingKey: 'k',
        },
      },
    ]);
    const ackIds = receivedMessages.map(({ ackId }) => ackId);
    expect(
      await rest('POST', `${subscription}:modifyAckDeadline`, { ackIds, ackDeadlineSeconds: 0 }),
    ).toMatchObject({
      status: 200,
    });
    const again = await rest('POST', `${subscription}:pull`, { maxMessages: 1 });
    const ackId = (again.body as { receivedMessages: { ackId: string }[] }).receivedMessages[0]?.ackId;
    await rest('POST', `${subscription}:acknowledge`, { ackIds: [ackId] });
    expect(
      (await rest('POST', `${subscription}:pull`, { maxMessages: 1, returnImmediately: true })).body,
    ).toEqual({});
    const patched = await rest('PATCH', subscription, {
      subscription: { ackDeadlineSeconds: 77 },
      updateMask: 'ackDeadlineSeconds',
    });
    expect(patched.body).toMatchObject({ ackDeadlineSeconds: 77 });
    expect((await rest('GET', 'projects/local/subscriptions?pageSize=5')).body).toMatchObject({
      subscriptions: [{ name: subscription }],
    });
    expect(await rest('DELETE', subscription)).toEqual({ status: 200, body: {} });
    expect(await rest('GET', subscription)).toMatchObject({ status: 404 });
  });

  it.each<[string, string, string, unknown, Record<string, string>, number]>([
    ['no such path', 'GET', 'projects/local/nothing', undefined, {}, 404],
    ['no JSON', 'PUT', 'projects/local/topics/things', '{', {}, 400],
    ['an unknown field', 'PUT', 'projects/local/topics/things', { colour: 'red' }, {}, 400],
    [
      'a field of the prototype',
      'PUT',
      'projects/local/topics/things',
      '{"__proto__":{"name":"x"}}',
      {},
      400,
    ],
    ['a wrong type', 'PUT', 'projects/local/topics/things', { labels: ['a'] }, {}, 400],
    ['bad base64', 'POST', 'projects/local/topics/things:publish', { messages: [{ data: '§' }] }, {}, 400],
    ['a malformed path', 'GET', 'projects/%ZZ/topics/things', undefined, {}, 400],
    ['a snapshot', 'PUT', 'projects/local/snapshots/snap1', { subscription: 'x' }, {}, 501],
    [
      'push',
      'PUT',
      'projects/local/subscriptions/sub1',
      { topic: 'projects/local/topics/things', pushConfig: { pushEndpoint: 'http://x' } },
      {},
      501,
    ],
    ['a web page', 'GET', 'projects/local/topics', undefined, { origin: 'http://127.0.0.1' }, 403],
  ])('answers REST with an error for %s', async (_name, method, path, body, headers, status) => {
    const answer = await rest(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code: status, message: expect.any(String) as string } });
  });

  it('names what it does not have', async () => {
    await expect(client.snapshot('s1').delete()).rejects.toMatchObject({
      code: 12,
      message: expect.stringContaining('DeleteSnapshot') as string,
    });
    const [topic] = await client.createTopic('things');
    await expect(topic.createSubscription('once', { enableExactlyOnceDelivery: true })).rejects.toMatchObject(
      {
        code: 12,
        message: expect.stringContaining('enableExactlyOnceDelivery') as string,
      },
    );
  });

  it.each([
    ['nothing', ''],
    ['a part of the preface', 'PRI * HT'],
    ['another protocol', 'SSH-2.0-x\r\n\r\n'],
    ['HTTP/2 and then garbage', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\u0000'.repeat(40)}x`],
    ['a huge header', `GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}`],
  ])('survives a connection with %s', async (_name, bytes) => {
    const { port } = server;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.end(bytes);
    await client.createTopic('things');
    socket.destroy();
    expect((await client.getTopics())[0]).toHaveLength(1);
  });

  it('says when its port is taken, and stops with readers on it', async () => {
    await expect(startLocalBus({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const [topic] = await client.createTopic('things');
    const [subscription] = await topic.createSubscription('reader');
    subscription.on('error', () => undefined);
    subscription.on('message', () => undefined);
    await topic.publishMessage({ data: Buffer.from('a') });
    await server.close();
    await server.close();
    await subscription.close();
  });
});
