import { createTopics } from '@bitbrat/envelope';
import { createPubSubBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import { type LocalBusServer, startLocalBus } from '@bitbrat/message-bus/local-bus';
import { type Bot, type LogFields, type RunningBot, type RunOptions } from './bot.js';
import { waitUntil } from './fixtures/bot-process.e2e.js';
import { Gateway } from './fixtures/gateway.js';
import { runBot } from './run-bot.js';
import { People } from './testing/people.js';

jest.setTimeout(120_000);

const people = new People();
const topics = createTopics();

describe('a bot on a bus that lets it down', () => {
  let gateway: Gateway | undefined;
  let server: LocalBusServer | undefined;
  let bot: RunningBot | undefined;
  const others: MessageBus[] = [];
  const events: { event: string; fields: LogFields }[] = [];

  afterEach(async () => {
    await bot?.stop();
    for (const bus of others.splice(0)) await bus.close(1_000);
    await gateway?.close();
    await server?.close();
    [bot, gateway, server] = [undefined, undefined, undefined];
    events.length = 0;
  });

  const start = async (
    environment: Record<string, string>,
    onMessage: Bot['onMessage'],
    options: RunOptions = {},
  ): Promise<void> => {
    const add = (event: string, fields: LogFields = {}): void => void events.push({ event, fields });
    const logger = { debug: add, info: add, warn: add, error: add };
    bot = await runBot({ name: 'orders', onMessage, environment, logger, signals: false, ...options });
  };

  it('keeps an answer whose topic is missing until the gateway has made it', async () => {
    gateway = await Gateway.start();
    await start(gateway.environment, ({ text }, { reply }) => reply(text));
    const message = people.sms('wait for me');
    const topic = topics.egress('late');
    await gateway.say({ ...message, replyTo: { ...message.replyTo, topic } });
    await waitUntil('the missing topic to be reported', () =>
      events.find(({ event, fields }) => event === 'bot.answer.waiting' && fields['topic'] === topic),
    );
    const received: ReceivedMessage[] = [];
    await gateway.bus.subscribe({ topic, subscription: 'late' }, (one) => {
      received.push(one);
      return Promise.resolve('ack');
    });
    await waitUntil('the answer', () => received[0]);
    expect(received).toHaveLength(1);
  });

  it('sets aside what it cannot read on a bus that has forgotten everything meanwhile', async () => {
    server = await startLocalBus();
    const { address, port } = server;
    await start({ PUBSUB_EMULATOR_HOST: address, GOOGLE_CLOUD_PROJECT: 'local' }, () => undefined);
    await server.close();
    await waitUntil('the loss', () => events.find(({ event }) => event === 'bus.subscription.lost'));
    server = await startLocalBus({ port });
    await waitUntil('the return', () => events.find(({ event }) => event === 'bus.subscription.reopened'));
    const bus = createPubSubBus({ projectId: 'local', emulatorHost: address, createMissing: true });
    others.push(bus);
    await bus.publish('internal.ingress.v1', { data: Buffer.from('no JSON'), attributes: {} });
    await waitUntil('it to be set aside', () =>
      events.find(({ event }) => event === 'bot.message.set-aside'),
    );
    const letters: ReceivedMessage[] = [];
    const name = 'bot.orders.set-aside';
    await bus.subscribe({ topic: name, subscription: name }, (letter) => {
      letters.push(letter);
      return Promise.resolve('ack');
    });
    await waitUntil('the letter', () => letters[0]);
  });

  it('says what to make where topics are missing and it may make none', async () => {
    gateway = await Gateway.start();
    await expect(start(gateway.environment, () => undefined, { createMissing: false })).rejects.toMatchObject(
      {
        code: 'BUS',
        message: expect.stringMatching(
          /subscription "bot\.orders\.set-aside" is missing: make it with `gcloud pubsub subscriptions create /,
        ) as string,
      },
    );
  });
});
