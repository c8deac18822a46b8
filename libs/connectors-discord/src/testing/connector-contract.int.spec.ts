import { type ConnectorHarness, describeConnectorContract } from '@bitbrat/connectors-testing';
import { Gateway } from './discord-world.js';

async function createHarness(): Promise<ConnectorHarness> {
  const gateway = await Gateway.create();
  const { config, connector, host, sandbox } = gateway;
  const { discord } = sandbox;
  const channels = new Map<string, string>();
  const channelOf = (word: string): string => {
    const id = channels.get(word) ?? discord.createChannel({ name: word }).id;
    channels.set(word, id);
    return id;
  };
  return {
    connector,
    host,
    secrets: [config.botToken],
    redelivers: true,
    receive: async (text, { channel = 'main', from = 'ada', own = false } = {}) => {
      const channelId = channelOf(channel);
      if (own)
        return {
          nativeId: await writeAsBot(config.apiUrl, config.botToken, channelId, text),
          destination: channelId,
        };
      const attachments = text === '' ? [{ filename: 'a.txt', text: 'file' }] : [];
      const { id } = discord.receiveMessage({ channelId, author: from, content: text, attachments });
      return { nativeId: id, destination: channelId };
    },
    sentTexts: (destination) => Promise.resolve(gateway.writtenTexts(destination)),
    aDestination: () => Promise.resolve(discord.createChannel({ name: 'quiet' }).id),
    anUnknownDestination: () => '1000000000000009999',
    dropConnection: () => {
      discord.injectFault({ kind: 'drop' });
      return Promise.resolve();
    },
    failNextSend: (kind) => {
      const fault = { kind: 'request', operation: 'createMessage', count: 1 } as const;
      discord.injectFault(
        kind === 'retryable' ? { ...fault, status: 503 } : { ...fault, loseAnswer: 'drop' },
      );
      return Promise.resolve();
    },
    refusePart: (part) => {
      const fault = { kind: 'request', operation: 'createMessage', count: 1 } as const;
      discord.injectFault({ ...fault, skip: part - 1, status: 429, rateLimit: 'bare' });
      return Promise.resolve();
    },
    refuseCredentials: () => {
      discord.injectFault({ kind: 'request', status: 401 });
      return Promise.resolve();
    },
    openConnections: () => discord.stats().sockets.open,
    dispose: () => gateway.dispose(),
  };
}

/** The bot's account, used by somebody else. */
async function writeAsBot(
  apiUrl: string,
  token: string,
  channelId: string,
  content: string,
): Promise<string> {
  const response = await fetch(`${apiUrl}/v10/channels/${channelId}/messages`, {
    method: 'POST',
    headers: { authorization: `Bot ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ content }),
  });
  const { id } = (await response.json()) as { id: string }; // the sandbox's message object
  return id;
}

describeConnectorContract('the Discord connector', createHarness);
