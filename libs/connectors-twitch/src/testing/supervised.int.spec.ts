import { ConnectorManager, type ConnectorState } from '@bitbrat/connectors-core';
import { RecordingHost } from '@bitbrat/connectors-testing';
import { Gateway, textsOf, waitFor } from './twitch-world.js';
import { createTwitchConnector } from '../index.js';

describe('under the ConnectorManager', () => {
  let gateway: Gateway;
  let manager: ConnectorManager;
  let host: RecordingHost;
  const states: ConnectorState[] = [];

  async function expectBothWays(): Promise<void> {
    gateway.write('after');
    await waitFor(() => textsOf(host).includes('after'), 'the message');
    await manager.sendText('twitch', 'here', 'bitbrat', { idempotencyKey: 'k', mayHaveBeenSent: false });
    expect(gateway.sent()).toEqual(['here']);
    await waitFor(() => gateway.connections === 1, 'the old connection to be gone');
  }

  beforeEach(async () => {
    gateway = await Gateway.create();
    host = new RecordingHost();
    states.length = 0;
    manager = new ConnectorManager([{ name: 'twitch', create: createTwitchConnector(gateway.config) }], {
      publish: host.publish,
      egressTopic: host.egressTopic,
      cursorsFor: () => host.cursors,
      clock: host.clock,
      logger: host.logger,
      random: () => 0,
      onStateChanged: (_, state) => {
        states.push(state);
        return Promise.resolve(true);
      },
    });
    await manager.startAll();
  });

  afterEach(async () => {
    await manager.stopAll(5_000);
    await gateway.dispose();
  });

  it('a reset is a gap that is reported, and the chat goes on by itself, both ways', async () => {
    gateway.sandbox.twitch.injectFault({ kind: 'drop' });
    await waitFor(() => states.at(-1)?.status === 'connected' && states.length > 2, 'the way back');
    expect(states.map(({ status }) => status)).toEqual([
      'starting',
      'connected',
      'reconnecting',
      'connected',
    ]);
    expect(states.at(-1)).toHaveProperty('gap.reason');
    await expectBothWays();
  });

  it('RECONNECT goes unnoticed, and the chat goes on, both ways', async () => {
    gateway.sandbox.twitch.injectFault({ kind: 'reconnect' });
    await waitFor(() => gateway.connections === 2, 'the second connection');
    await expectBothWays();
    expect(states.map(({ status }) => status)).toEqual(['starting', 'connected']);
  });

  it('a token that is taken away for good ends in a failed state that names the cure', async () => {
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens', refreshTokens: true });
    gateway.sandbox.twitch.injectFault({ kind: 'drop' });
    await waitFor(() => states.at(-1)?.status === 'failed', 'the failure');
    expect(states.at(-1)).toMatchObject({
      error: { code: 'AUTH_FAILED', retryable: false },
      hint: expect.stringContaining('TWITCH_REFRESH_TOKEN') as string,
    });
    expect(gateway.connections).toBe(0);
  });
});
