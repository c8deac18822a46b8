/**
 * The unmodified @twurple/chat in a thread of its own: it is an ES module, which jest cannot load.
 *
 * Its calls to id.twitch.tv reach the sandbox instead: it knows no other address. Speaks in messages:
 * `{ event, args }` out; `{ method, args }` in.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { RefreshingAuthProvider, StaticAuthProvider } from '@twurple/auth';
import { ChatClient } from '@twurple/chat';

const { origin, clientId, clientSecret, accessToken, refreshToken } = workerData;

const fetchForReal = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(String(input));
  if (url.hostname !== 'id.twitch.tv') throw new Error(`Nothing may call ${url.hostname} from a test.`);
  return fetchForReal(`${origin}/twitch${url.pathname}${url.search}`, init);
};

async function createProvider() {
  if (refreshToken === undefined) return new StaticAuthProvider(clientId, accessToken);
  const provider = new RefreshingAuthProvider({ clientId, clientSecret });
  provider.onRefresh((userId, token) => report('refresh', userId, token.refreshToken));
  // Obtained long ago and expired: its first act is a refresh.
  const expired = { accessToken, refreshToken, expiresIn: 1, obtainmentTimestamp: 0, scope: [] };
  const userId = await provider.addUserForToken(expired, ['chat']);
  report('user', userId);
  return provider;
}

function report(event, ...args) {
  parentPort.postMessage({ event, args });
}

const client = new ChatClient({
  authProvider: await createProvider(),
  hostName: `${new URL(origin).host}/?p=`,
  ssl: false,
  channels: ['bitbrat'],
  logger: { minLevel: 'critical' },
});
client.onJoin((channel, user) => report('join', channel, user));
client.onMessage((channel, user, text, message) =>
  report('message', channel, user, text, message.id, message.userInfo.userId, message.parentMessageId),
);
client.onAction((channel, user, text) => report('action', channel, user, text));
client.onWhisper((user, text) => report('whisper', user, text));
client.onSub((channel, user, info) => report('sub', channel, user, info.plan));
client.onRaid((channel, user, info) => report('raid', channel, user, info.viewerCount));
client.onTimeout((channel, user, seconds) => report('timeout', channel, user, seconds));
client.onBan((channel, user) => report('ban', channel, user));
client.onMessageRemove((channel, messageId) => report('remove', channel, messageId));
client.onMessageFailed((channel, reason) => report('failed', channel, reason));
client.onMessageRatelimit((channel) => report('ratelimit', channel));
client.onAuthenticationFailure((text) => report('loginFailure', text));
client.onTokenFetchFailure((error) => report('tokenFailure', error.message));
client.irc.onDisconnect(() => report('disconnect'));
parentPort.on('message', ({ method, args }) => {
  if (method === 'quit') {
    client.quit();
    parentPort.close();
  } else {
    void client[method](...args);
  }
});
client.connect();
