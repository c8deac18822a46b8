import { type ConnectorHost } from '@bitbrat/connectors-core';
import { correlationIdOf, decodeEgress, decodeIngress, encodeEgress, encodeIngress } from '@bitbrat/envelope';
import { settle } from '@bitbrat/foundation/testing';
import { anEgressEvent, anEnvelope } from './builders.js';
import { RecordingHost } from './recording-host.js';

const SECRET = 'fake-secret-91ab';

describe('RecordingHost', () => {
  it('keeps what was published and reported, in order', async () => {
    const host = new RecordingHost();
    await host.publish(anEnvelope({ id: 'fake:1' }));
    await host.publish(anEnvelope({ id: 'fake:2' }));
    expect(await host.stateChanged({ status: 'stopped', since: 'then' })).toBe(true);
    expect(host.published.map(({ id }) => id)).toEqual(['fake:1', 'fake:2']);
    expect(host.states).toEqual([{ status: 'stopped', since: 'then' }]);
  });

  it('holds publishes until released, and acknowledges in the order of the calls', async () => {
    const host = new RecordingHost();
    host.holdPublishes();
    const acknowledged: string[] = [];
    const all = ['fake:1', 'fake:2'].map(async (id) => {
      await host.publish(anEnvelope({ id }));
      acknowledged.push(id);
    });
    await settle();
    expect([host.heldPublishes, host.published, acknowledged]).toEqual([2, [], []]);
    host.releasePublishes();
    await Promise.all(all);
    expect(acknowledged).toEqual(['fake:1', 'fake:2']);
    await host.publish(anEnvelope({ id: 'fake:3' }));
    expect(host.published).toHaveLength(3);
  });

  it('refuses as many publishes as it was told', async () => {
    const host = new RecordingHost();
    host.failNextPublish(2);
    await expect(host.publish(anEnvelope())).rejects.toThrow('refuses');
    await expect(host.publish(anEnvelope())).rejects.toThrow('refuses');
    await host.publish(anEnvelope());
    expect([host.publishCalls, host.published.length, host.refusalsLeft]).toEqual([3, 1, 0]);
  });

  it('treats delivery receipts as it treats envelopes', async () => {
    const host = new RecordingHost();
    const receipt = {
      eventId: 'e1',
      part: 1,
      parts: 1,
      destination: 'c1',
      platformMessageId: 'm1',
      status: 'delivered',
      occurredAt: '2026-01-01T00:00:00Z',
    } as const;
    host.failNextPublish();
    await expect(host.receiptReceived(receipt)).rejects.toThrow('refuses');
    host.holdPublishes();
    const held = host.receiptReceived(receipt);
    expect([host.heldPublishes, host.receipts]).toEqual([1, []]);
    host.releasePublishes();
    await held;
    expect(host.receipts).toEqual([receipt]);
  });

  it('has cursors that last, and that can fail', async () => {
    const { cursors } = new RecordingHost();
    expect(await cursors.load('a')).toBeUndefined();
    cursors.failNext();
    await expect(cursors.save('a', '1')).rejects.toThrow('cannot be reached');
    await cursors.save('a', '2');
    expect(await new RecordingHost({ cursors }).cursors.load('a')).toBe('2');
  });

  it('works when spread, as the supervisor does', async () => {
    const host = new RecordingHost();
    const port: ConnectorHost = host;
    const copy = { ...port };
    await copy.publish(anEnvelope());
    copy.logger.info('fake.event');
    expect([host.published.length, host.logger.entries]).toEqual([
      1,
      [{ level: 'info', event: 'fake.event', fields: {} }],
    ]);
  });

  it.each<[string, (host: RecordingHost) => unknown]>([
    ['log', (host) => host.logger.debug('x', { deep: [{ token: SECRET }] })],
    ['log', (host) => host.logger.error('x', { error: new Error('outer', { cause: new Error(SECRET) }) })],
    ['states', (host) => host.stateChanged({ status: 'stopped', since: SECRET })],
    ['envelopes', (host) => host.publish(anEnvelope({ metadata: { token: `a${SECRET}b` } }))],
  ])('finds a secret in %s', (place, leak) => {
    const host = new RecordingHost();
    leak(host);
    expect(host.findSecrets([SECRET, 'other'])).toEqual([`${SECRET} in ${place}`]);
  });

  it('logs what has no end', () => {
    const host = new RecordingHost();
    const circular: Record<string, unknown> = { n: 1n };
    circular['self'] = circular;
    host.logger.info('x', circular);
    expect(host.findSecrets([SECRET])).toEqual([]);
  });
});

describe('builders', () => {
  it('make valid messages whose parts agree', () => {
    const envelope = anEnvelope({ source: 'twilio', id: 'twilio:IM7', from: '+15550101' });
    expect(envelope).toMatchObject({
      correlationId: correlationIdOf('twilio:IM7'),
      sender: { id: '+15550101' },
      replyTo: { connector: 'twilio', destination: 'c1', inReplyTo: 'IM7' },
    });
    const encoded = encodeIngress(envelope);
    expect(encoded.ok && decodeIngress(encoded.value.data)).toEqual({ ok: true, value: envelope });
    const event = anEgressEvent({ id: 'e9', text: 'hi' });
    const encodedEvent = encodeEgress(event, '/bots/test', '2026-01-01T00:00:00Z');
    expect(encodedEvent.ok && decodeEgress(encodedEvent.value.data)).toEqual({ ok: true, value: event });
  });
});
