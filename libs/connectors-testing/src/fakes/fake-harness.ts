import { type ConnectorHost, type IConnector } from '@bitbrat/connectors-core';
import { type ConnectorHarness } from '../contract/harness.js';
import { RecordingHost } from '../recording-host.js';
import { FakePlatform } from './fake-platform.js';

export const FAKE_TOKEN = 'fake-token-5f1c';

export type CreateFakeConnector = (platform: FakePlatform, host: ConnectorHost, token: string) => IConnector;

/** A harness on a platform of its own. Broken connectors are waited for as briefly as `patienceMs` says. */
export function createFakeHarness(
  create: CreateFakeConnector,
  patienceMs = 2_000,
): ConnectorHarness & { readonly platform: FakePlatform } {
  const platform = new FakePlatform(FAKE_TOKEN);
  const host = new RecordingHost();
  let places = 0;
  return {
    platform,
    host,
    connector: create(platform, host, FAKE_TOKEN),
    secrets: [FAKE_TOKEN],
    redelivers: true,
    patienceMs,
    watchMs: 40,
    receive: (text, { channel = 'lobby', from = 'ada', own = false } = {}) => {
      const message = platform.write(channel, own ? FakePlatform.BOT : from, text);
      return Promise.resolve({ nativeId: String(message.id), destination: channel });
    },
    sentTexts: (destination) => {
      const own = platform
        .messagesOf(destination)
        .filter(({ author, tag }) => author === FakePlatform.BOT && tag);
      return Promise.resolve(own.map(({ text }) => text));
    },
    aDestination: () => {
      const channel = `place-${(places += 1)}`;
      platform.createChannel(channel);
      return Promise.resolve(channel);
    },
    anUnknownDestination: () => 'nowhere',
    dropConnection: () => {
      platform.dropConnections();
      return Promise.resolve();
    },
    failNextSend: (kind) => {
      platform.failNextSend(kind);
      return Promise.resolve();
    },
    refusePart: (part) => {
      platform.refuseSend(part);
      return Promise.resolve();
    },
    refuseCredentials: () => {
      platform.refuseCredentials();
      return Promise.resolve();
    },
    failPart: () => {
      platform.closeChannel('closed');
      platform.write('closed', 'ada', 'unheard');
      return Promise.resolve({
        unharmedChannel: 'lobby',
        heal: () => {
          platform.openChannel('closed');
          return Promise.resolve();
        },
      });
    },
    openConnections: () => platform.openSessions,
    dispose: () => {
      platform.dropConnections();
      return Promise.resolve();
    },
  };
}
