import { type EventEmitter, once } from 'node:events';
import WebSocket from 'ws';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { twitchDefaults } from './twitch-options.js';

/** What is used here of a client that ships no types. */
interface IrcClient extends EventEmitter {
  connect(options: Readonly<Record<string, unknown>>): void;
  join(channel: string): void;
  say(target: string, text: string, tags?: Readonly<Record<string, string>>): void;
  raw(line: string): void;
  quit(): void;
}

interface Received {
  readonly nick: string;
  readonly target: string;
  readonly message: string;
  readonly tags: Readonly<Record<string, string>>;
}

async function load(): Promise<{ readonly client: IrcClient; readonly transport: unknown }> {
  // The package's transport for WebSockets is the browser's, and takes the browser's WebSocket.
  Object.assign(globalThis, { WebSocket });
  // @ts-expect-error The package ships no types.
  const framework: unknown = await import('irc-framework');
  // @ts-expect-error The package ships no types.
  const transport: unknown = await import('irc-framework/src/transports/websocket.js');
  const { Client } = framework as { Client: new () => IrcClient }; // as its README says
  return { client: new Client(), transport: (transport as { default: unknown }).default }; // module.exports = class
}

describe('irc-framework, unmodified', () => {
  let sandbox: Sandbox;
  let client: IrcClient;

  const next = async (event: string): Promise<Received> => {
    const [argument] = (await once(client, event)) as [Received]; // by its documentation
    return argument;
  };

  beforeEach(async () => {
    sandbox = await startSandbox({
      twitch: { messageLimits: { ...twitchDefaults.messageLimits, spacingMs: 0 } },
    });
    const loaded = await load();
    client = loaded.client;
    const registered = once(client, 'registered');
    client.connect({
      transport: loaded.transport,
      host: '127.0.0.1',
      port: Number(new URL(sandbox.url).port),
      websocket_protocol: 'irc',
      nick: twitchDefaults.botLogin,
      password: `oauth:${twitchDefaults.accessToken}`,
      enable_chghost: false,
      auto_reconnect: false,
    });
    await registered;
    // Its tags stay hidden unless it has asked for the IRCv3 capability, which Twitch does not have.
    client.raw('CAP REQ :twitch.tv/tags twitch.tv/commands');
    client.join('#bitbrat');
    await sandbox.twitch.waitForMember('bitbrat', twitchDefaults.botLogin);
  });
  afterEach(async () => {
    const closed = once(client, 'socket close');
    client.quit();
    await closed;
    await sandbox.close();
  });

  it('receives messages with tags', async () => {
    const received = next('privmsg');
    const { id } = sandbox.twitch.receiveMessage({
      channel: 'bitbrat',
      login: 'alice',
      userId: '1',
      displayName: 'Alice; A',
      text: 'hello: 🚀',
    });
    expect(await received).toMatchObject({
      nick: 'alice',
      target: '#bitbrat',
      message: 'hello: 🚀',
      tags: { id, 'user-id': '1', 'display-name': 'Alice; A' },
    });
  });

  it('receives actions', async () => {
    const received = next('action');
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', action: true, text: 'waves' });
    expect(await received).toMatchObject({ nick: 'alice', message: 'waves' });
  });

  it('sends messages, and is told of refusals', async () => {
    client.say('#bitbrat', 'hello there');
    await expect(
      sandbox.twitch.waitForMessage(({ login }) => login === 'bitbrat_bot'),
    ).resolves.toMatchObject({
      text: 'hello there',
    });
    const refused = next('notice');
    client.say('#bitbrat', 'hello there');
    expect(await refused).toMatchObject({ target: '#bitbrat', tags: { 'msg-id': 'msg_duplicate' } });
  });

  it('answers a PING', async () => {
    const answered = new Promise<void>((resolve) => {
      client.on('raw', ({ line, from_server: inbound }: { line: string; from_server: boolean }) => {
        if (!inbound && line === 'PONG tmi.twitch.tv') resolve();
      });
    });
    sandbox.twitch.sendEvent({ kind: 'ping' });
    await answered;
  });
});
