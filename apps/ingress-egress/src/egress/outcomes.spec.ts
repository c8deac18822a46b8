import { type DeliveryReceipt } from '@bitbrat/connectors-core';
import { decodeOutcome, encodeOutcome } from '@bitbrat/envelope';
import { toReceiptOutcome } from './outcomes.js';

const receipt = (overrides: Partial<DeliveryReceipt> = {}): DeliveryReceipt => ({
  eventId: 'reply:twilio:IM1',
  correlationId: 'c-1',
  part: 1,
  parts: 1,
  destination: 'CH1',
  platformMessageId: 'IM2',
  status: 'delivered',
  occurredAt: '2026-11-20T12:00:00.000Z',
  ...overrides,
});
const error = { code: 'UNDELIVERED', message: 'not delivered', retryable: false, nativeCode: '30003' };

describe('toReceiptOutcome', () => {
  it('is a valid outcome of the event', () => {
    const outcome = toReceiptOutcome('twilio', receipt());
    expect(outcome).toEqual({
      v: '1',
      id: 'reply:twilio:IM1:delivered',
      type: 'chat.outcome.v1',
      eventId: 'reply:twilio:IM1',
      correlationId: 'c-1',
      status: 'delivered',
      target: { connector: 'twilio', destination: 'CH1' },
      platformMessageIds: ['IM2'],
      attempts: 0,
      occurredAt: '2026-11-20T12:00:00.000Z',
    });
    const encoded = encodeOutcome(outcome, '/test');
    expect(encoded.ok && decodeOutcome(encoded.value.data)).toEqual({ ok: true, value: outcome });
  });

  it.each<[string, Partial<DeliveryReceipt>, object]>([
    ['names the part of a split text', { part: 2, parts: 3 }, { id: 'reply:twilio:IM1:delivered:2' }],
    ['says why', { status: 'failed', error }, { id: 'reply:twilio:IM1:failed', status: 'failed', error }],
  ])('%s', (_, overrides, expected) => {
    expect(toReceiptOutcome('twilio', receipt(overrides))).toMatchObject(expected);
  });

  it('correlates by the event where nothing else is known', () => {
    const { correlationId, ...without } = receipt();
    expect(correlationId).toBe('c-1');
    expect(toReceiptOutcome('twilio', without).correlationId).toBe('reply:twilio:IM1');
  });
});
