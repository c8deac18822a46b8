import { gapsOf, Gateway, type GatewayOptions, waitFor } from './twitch-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  await gateway.start();
}

afterEach(async () => {
  await gateway.dispose();
});

describe('what people write', () => {
  it('arrives whatever it is, each once', async () => {
    await running();
    const { id: parent } = gateway.write('plain');
    gateway.write('waves', { action: true });
    gateway.write('Cheer100', { bits: 100 });
    gateway.write('a song', { rewardId: 'reward-1' });
    gateway.write('look', { tags: { 'msg-id': 'highlighted-message' } });
    gateway.write('yes', { login: 'bob', replyTo: parent });
    gateway.write('from afar', { login: 'carol', sourceChannel: 'elsewhere' });
    gateway.sandbox.twitch.sendEvent({
      kind: 'usernotice',
      channel: 'bitbrat',
      login: 'dave',
      msgId: 'resub',
      text: 'three months',
    });
    gateway.sandbox.twitch.receiveMessage({ whisper: 'bitbrat_bot', login: 'erin', text: 'psst' });
    gateway.sandbox.twitch.sendEvent({
      kind: 'usernotice',
      channel: 'bitbrat',
      login: 'frank',
      msgId: 'raid',
    });
    gateway.write('last');
    await waitFor(() => gateway.texts().includes('last'), 'the last message');
    expect(
      gateway.host.published.map(({ metadata, sender, text }) => [
        sender.login,
        text,
        metadata['messageType'],
      ]),
    ).toEqual([
      ['alice', 'plain', 'chat'],
      ['alice', 'waves', 'action'],
      ['alice', 'Cheer100', 'chat'],
      ['alice', 'a song', 'chat'],
      ['alice', 'look', 'chat'],
      ['bob', 'yes', 'chat'],
      ['carol', 'from afar', 'chat'],
      ['dave', 'three months', 'resub'],
      ['erin', 'psst', 'whisper'],
      ['alice', 'last', 'chat'],
    ]);
    const [, , cheer, redemption, , reply, shared, , whisper] = gateway.host.published;
    expect(cheer?.metadata['bits']).toBe(100);
    expect(redemption?.metadata['rewardId']).toBe('reward-1');
    expect(reply?.metadata['replyParentMessageId']).toBe(parent);
    expect(shared?.metadata).toMatchObject({ sharedChat: true });
    expect(whisper).toMatchObject({ channel: { kind: 'direct' }, replyTo: { destination: '@erin' } });
  });

  it.each(['0', '1'])('has the sender id %s as Twitch gave it', async (userId) => {
    await running();
    gateway.write('hi', { login: `user_${userId}`, userId, displayName: userId });
    await waitFor(() => gateway.texts().length === 1, 'the message');
    expect(gateway.host.published[0]).toMatchObject({
      from: userId,
      sender: { id: userId, displayName: userId },
    });
  });

  it('comes in the order of each channel, 2,000 messages side by side', async () => {
    const channels = ['a', 'b', 'c', 'd'];
    await running({ sandbox: { channels } });
    for (let i = 0; i < 500; i++)
      for (const channel of channels) gateway.write(`${channel}${i}`, { channel });
    await waitFor(() => gateway.texts().length === 2_000, 'all messages');
    for (const channel of channels) {
      expect(gateway.texts(channel)).toEqual(Array.from({ length: 500 }, (_, i) => `${channel}${i}`));
    }
  });

  it('by the bot itself elsewhere is left out', async () => {
    await running();
    gateway.write('own', { login: 'bitbrat_bot' });
    gateway.write('other');
    await waitFor(() => gateway.texts().length === 1, 'the message');
    expect(gateway.texts()).toEqual(['other']);
    expect(gateway.connector.getSnapshot().counters.ignored).toBe(1);
  });
});

describe('while the bus is away', () => {
  it('waits; what the bound leaves out is counted and reported', async () => {
    await running({ config: { bufferMessages: 10 } });
    gateway.host.holdPublishes();
    for (let i = 0; i < 15; i++) gateway.write(`m${i}`);
    await waitFor(() => gateway.details['lostMessages'] === 5, 'the bound');
    expect(gateway.details['waitingForBus']).toBe(10);
    gateway.host.releasePublishes();
    await waitFor(() => gateway.texts().length === 10, 'what has waited');
    const gapOf = (): unknown => {
      const state = gateway.host.states.at(-1);
      return state?.status === 'connected' ? state.gap : undefined;
    };
    await waitFor(() => gapOf() !== undefined, 'the report');
    expect(gapOf()).toMatchObject({ lost: 5 });
    gateway.write('after');
    await waitFor(() => gateway.texts().includes('after'), 'the next message');
  });

  it('and the connection is lost, too, what has waited is published, and the loss told afterwards', async () => {
    await running({ config: { bufferMessages: 2 } });
    gateway.host.holdPublishes();
    for (let i = 0; i < 3; i++) gateway.write(`m${i}`);
    await waitFor(() => gateway.details['lostMessages'] === 1, 'the bound');
    gateway.sandbox.twitch.injectFault({ kind: 'drop' });
    await waitFor(() => gateway.status === 'failed', 'the loss');
    gateway.host.releasePublishes();
    await gateway.restart();
    expect(gateway.texts()).toEqual(['m0', 'm1']);
    expect(gapsOf(gateway.host).map(({ lost }) => lost)).toEqual([1, undefined]);
  });
});
