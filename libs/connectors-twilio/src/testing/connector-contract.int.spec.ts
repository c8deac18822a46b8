import { describeConnectorContract, type ConnectorHarness } from '@bitbrat/connectors-testing';
import { Gateway } from './twilio-world.js';

/** A phone for each channel: an SMS conversation is one phone's. */
function phoneOf(channel: string): string {
  const digits = Array.from(channel, (letter) => String(letter.charCodeAt(0) % 10)).join('');
  return `+1555${digits.padEnd(7, '0').slice(0, 7)}`;
}

async function createHarness(): Promise<ConnectorHarness> {
  const gateway = await Gateway.create();
  const { config, connector, host, sandbox } = gateway;
  const { twilio } = sandbox;
  const fault = { kind: 'request', target: 'tunnel', operation: 'sendMessage', count: 1 } as const;
  let destinations = 0;
  return {
    connector,
    host,
    secrets: [config.authToken, config.apiSecret, 'eyJ'],
    redelivers: true,
    receive: async (text, { channel = 'main', own = false } = {}) => {
      const from = phoneOf(channel);
      const media = { contentType: 'image/png', base64: 'cGl4ZWxz' };
      const body = text === '' ? { media } : { body: text };
      const own_ = own ? twilio.conversations().find(({ friendlyName }) => friendlyName === from) : undefined;
      const { conversationSid, messageSid } = await twilio.receiveMessage(
        own_ === undefined
          ? { from, ...body }
          : { author: config.identity, conversationSid: own_.sid, ...body },
      );
      return { nativeId: messageSid, destination: conversationSid };
    },
    sentTexts: (destination) => Promise.resolve(gateway.sent(destination).map((body) => body ?? '')),
    aDestination: () =>
      Promise.resolve(gateway.conversation(`+15559${String(++destinations).padStart(6, '0')}`)),
    anUnknownDestination: () => `CH${'0'.repeat(32)}`,
    dropConnection: () => {
      twilio.injectFault({ kind: 'drop' });
      return Promise.resolve();
    },
    failNextSend: (kind) => {
      twilio.injectFault(kind === 'retryable' ? { ...fault, status: 429 } : { ...fault, loseAnswer: 'drop' });
      return Promise.resolve();
    },
    refusePart: (part) => {
      twilio.injectFault({ ...fault, skip: part - 1, status: 429 });
      return Promise.resolve();
    },
    refuseCredentials: () => {
      twilio.injectFault({ kind: 'refuse-token', status: 401, code: 20101 });
      return Promise.resolve();
    },
    openConnections: () => twilio.stats().sockets.open,
    dispose: () => gateway.dispose(),
  };
}

describeConnectorContract('the Twilio connector', createHarness);
