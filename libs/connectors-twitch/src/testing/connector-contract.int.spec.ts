import { type ConnectorHarness, describeConnectorContract } from '@bitbrat/connectors-testing';
import { Gateway } from './twitch-world.js';

/** Few, because each start joins them all and 18 JOINs in 11 seconds are the limit. No case uses two words of one room. */
const ROOMS: Readonly<Record<string, string>> = {
  main: 'room_a',
  one: 'room_b',
  two: 'room_c',
  a: 'room_a',
  b: 'room_b',
  c: 'room_c',
  d: 'room_d',
};
const QUIET = 'quiet';

function roomOf(word: string): string {
  const room = ROOMS[word];
  if (room === undefined) throw new Error(`there is no room for ${word}`);
  return room;
}

async function createHarness(): Promise<ConnectorHarness> {
  const gateway = await Gateway.create({
    sandbox: { channels: [...new Set(Object.values(ROOMS)), QUIET] },
    config: { confirmSeconds: 1 },
  });
  const { config, connector, host, sandbox } = gateway;
  const { twitch } = sandbox;
  // An ordinary user would need half a minute for a text of 21 messages.
  twitch.configureChannel(QUIET, { moderators: [config.botUsername] });
  return {
    connector,
    host,
    secrets: [
      config.accessToken ?? '',
      config.refresh?.clientSecret ?? '',
      config.refresh?.refreshToken ?? '',
    ],
    redelivers: false,
    receive: (text, { channel = 'main', from = 'alice', own = false } = {}) => {
      const destination = roomOf(channel);
      const login = own ? config.botUsername : from;
      const { id } = twitch.receiveMessage({ channel: destination, login, text });
      return Promise.resolve({ nativeId: id, destination });
    },
    sentTexts: (destination) => Promise.resolve(gateway.sent(destination)),
    aDestination: () => Promise.resolve(QUIET),
    anUnknownDestination: () => 'nobody_is_here',
    dropConnection: () => {
      twitch.injectFault({ kind: 'drop' });
      return Promise.resolve();
    },
    failNextSend: (kind) => {
      twitch.injectFault(
        kind === 'retryable'
          ? { kind: 'refuse-message', msgId: 'msg_slowmode', count: 1 }
          : { kind: 'lose-ack', count: 1 },
      );
      return Promise.resolve();
    },
    refusePart: (part) => {
      twitch.injectFault({ kind: 'refuse-message', msgId: 'msg_slowmode', count: 1, skip: part - 1 });
      return Promise.resolve();
    },
    refuseCredentials: () => {
      twitch.injectFault({ kind: 'expire-tokens', refreshTokens: true });
      return Promise.resolve();
    },
    openConnections: () => gateway.connections,
    dispose: () => gateway.dispose(),
  };
}

describeConnectorContract('the Twitch connector', createHarness);
