import {
  type CodecResult,
  decodeDeadLetter,
  decodeEgress,
  decodeIngress,
  decodeOutcome,
  decodeStatus,
  encodeDeadLetter,
  encodeEgress,
  encodeIngress,
  encodeOutcome,
  encodeStatus,
  MAX_BODY_BYTES,
} from './codec.js';
import { type ConnectorStatus } from './connector-status.js';
import { type DeadLetter } from './dead-letter.js';
import { type EgressEvent } from './egress-event.js';
import { type EgressOutcome } from './egress-outcome.js';
import { type IngressEnvelope } from './ingress-envelope.js';

const NOW = '2026-03-01T12:00:00.000Z';

const envelope: IngressEnvelope = {
  v: '1',
  id: 'twilio:IM1',
  type: 'chat.message.v1',
  source: 'twilio',
  from: '+15550100',
  sender: { id: '+15550100', displayName: '+15550100', roles: [], isBot: false },
  channel: { id: 'CH1', kind: 'conversation' },
  text: 'hello',
  attachments: [{ url: 'https://media.example/1', contentType: 'image/png', size: 3 }],
  occurredAt: NOW,
  receivedAt: NOW,
  correlationId: '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  replyTo: { topic: 'internal.egress.v1.i1', connector: 'twilio', destination: 'CH1', inReplyTo: 'IM1' },
  metadata: { conversationSid: 'CH1', index: 0, tags: [true, null] },
};

const event: EgressEvent = {
  v: '1',
  id: 'e1',
  type: 'chat.send.v1',
  target: { connector: 'twilio', destination: 'CH1' },
  text: 'hi',
  attachments: [],
  correlationId: 'c1',
  metadata: {},
};

const outcome: EgressOutcome = {
  v: '1',
  id: 'e1:failed',
  type: 'chat.outcome.v1',
  eventId: 'e1',
  correlationId: 'c1',
  status: 'failed',
  target: event.target,
  platformMessageIds: [],
  attempts: 1,
  error: { code: 'TARGET_NOT_FOUND', message: 'no such conversation', retryable: false },
  occurredAt: NOW,
};

const status: ConnectorStatus = {
  v: '1',
  id: 's1',
  type: 'connector.status.v1',
  connector: 'twitch',
  instanceId: 'i1',
  state: 'connected',
  since: NOW,
  gap: { from: NOW, to: NOW, reason: 'connection lost' },
  occurredAt: NOW,
};

const letter: DeadLetter = {
  v: '1',
  id: 'd1',
  type: 'deadletter.v1',
  error: { code: 'NOT_JSON', message: 'body is not JSON in UTF-8', retryable: false },
  attempts: 1,
  origin: { topic: 'internal.egress.v1.i1', messageId: 'm1', attributes: { a: 'b' } },
  bodyBytes: 1,
  bodyBase64: '/w==',
  truncated: false,
  occurredAt: NOW,
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (body: unknown): Uint8Array => bytes(JSON.stringify(body));

function valueOf<T>(result: CodecResult<T>): T {
  if (!result.ok) throw new Error(`${result.fault.code} ${result.fault.detail}`);
  return result.value;
}

describe('each kind of message', () => {
  it('comes back as it was', () => {
    expect(decodeIngress(valueOf(encodeIngress(envelope)).data)).toEqual({ ok: true, value: envelope });
    expect(decodeEgress(valueOf(encodeEgress(event, '/bots/echo', NOW)).data)).toEqual({
      ok: true,
      value: event,
    });
    expect(decodeOutcome(valueOf(encodeOutcome(outcome, '/i/1')).data)).toEqual({ ok: true, value: outcome });
    expect(decodeStatus(valueOf(encodeStatus(status, '/i/1')).data)).toEqual({ ok: true, value: status });
    expect(decodeDeadLetter(valueOf(encodeDeadLetter(letter, '/i/1')).data)).toEqual({
      ok: true,
      value: letter,
    });
  });

  it('carries its CloudEvents attributes', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(valueOf(encodeIngress(envelope, traceparent)).attributes).toEqual({
      'ce-specversion': '1.0',
      'ce-id': 'twilio:IM1',
      'ce-source': '/connectors/twilio',
      'ce-type': 'chat.message.v1',
      'ce-time': NOW,
      'ce-subject': 'CH1',
      traceparent,
    });
    expect(valueOf(encodeEgress(event, '/bots/echo', NOW)).attributes).toEqual({
      'ce-specversion': '1.0',
      'ce-id': 'e1',
      'ce-source': '/bots/echo',
      'ce-type': 'chat.send.v1',
      'ce-time': NOW,
      'ce-subject': 'twilio/CH1',
    });
    expect(valueOf(encodeOutcome(outcome, '/i/1')).attributes).toMatchObject({
      'ce-id': 'e1:failed',
      'ce-subject': 'e1',
    });
    expect(valueOf(encodeStatus(status, '/i/1')).attributes).toMatchObject({ 'ce-subject': 'twitch' });
    expect(valueOf(encodeDeadLetter(letter, '/i/1')).attributes).toMatchObject({
      'ce-subject': 'internal.egress.v1.i1',
    });
  });

  it('is ordered with the others of its channel, in and out alike', () => {
    const inbound = valueOf(encodeIngress(envelope)).orderingKey;
    expect(valueOf(encodeEgress(event, '/bots/echo', NOW)).orderingKey).toBe(inbound);
    expect(valueOf(encodeOutcome(outcome, '/i/1')).orderingKey).toBe(inbound);
  });
});

describe('text', () => {
  it.each([
    ['empty', ''],
    ['white space', ' \n\t '],
    ['emoji family', '👨‍👩‍👧‍👦'],
    ['combining marks', 'e\u0301'],
    ['right to left', 'שלום עולם'],
    ['NUL and controls', '\u0000\u0007\u001b'],
    ['line separators', 'a\u2028b\u2029c'],
    ['lone surrogates', '\ud83d and \udc68'],
    ['quotes and markup', '"\'<>&\\'],
  ])('%s is kept to the last code unit', (_name, text) => {
    const decoded = valueOf(decodeIngress(valueOf(encodeIngress({ ...envelope, text })).data));
    expect(decoded.text).toBe(text);
  });

  it('may be white space in an egress event only beside an attachment', () => {
    expect(decodeEgress(json({ ...event, text: ' ' }))).toEqual({
      ok: false,
      fault: { code: 'INVALID', detail: 'text: expected text or an attachment' },
    });
    const attachments = [{ url: 'https://media.example/1' }];
    expect(decodeEgress(json({ ...event, text: '', attachments }))).toMatchObject({ ok: true });
  });
});

describe('fields that this version does not know', () => {
  it('are kept, at every level', () => {
    const body = { ...envelope, mood: 'good', sender: { ...envelope.sender, badge: { level: 3 } } };
    expect(decodeIngress(json(body))).toEqual({ ok: true, value: body });
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])('may be called %s', (key) => {
    expect(decodeIngress(json({ ...envelope, [key]: 'x', metadata: { [key]: 'y' } }))).toMatchObject({
      ok: true,
      value: { [key]: 'x', metadata: { [key]: 'y' } },
    });
  });

  it('never become a prototype', () => {
    const body = JSON.stringify(envelope)
      .replace('{', '{"__proto__":{"polluted":1},')
      .replace('"metadata":{', '"metadata":{"__proto__":{"polluted":2},');
    const decoded = valueOf(decodeIngress(bytes(body)));
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(decoded.metadata)).toBe(Object.prototype);
    expect(decoded['polluted']).toBeUndefined();
    expect(decoded.metadata['polluted']).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a body that cannot be read', () => {
  it.each<[string, Uint8Array]>([
    ['nothing', bytes('')],
    ['words', bytes('hello')],
    ['half a body', json(envelope).subarray(0, 40)],
    ['not UTF-8', Uint8Array.from([0x22, 0xff, 0xfe, 0x22])],
    ['half a character', Uint8Array.from([0x22, 0xf0, 0x9f, 0x22])],
    ['NaN', bytes('NaN')],
  ])('%s is NOT_JSON', (_name, data) => {
    expect(decodeIngress(data)).toEqual({
      ok: false,
      fault: { code: 'NOT_JSON', detail: 'body is not JSON in UTF-8' },
    });
  });

  it.each([['2'], [1], [null], [{}], ['']])('version %j is UNKNOWN_VERSION', (v) => {
    expect(decodeIngress(json({ ...envelope, v }))).toEqual({
      ok: false,
      fault: { code: 'UNKNOWN_VERSION', detail: 'v: expected "1"' },
    });
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'body: '],
    ['a list', [envelope], 'body: '],
    ['a string', 'x', 'body: '],
    ['no fields', {}, 'v: '],
    ['another kind', event, 'type: '],
    ['text as a number', { ...envelope, text: 1 }, 'text: '],
    ['null for text', { ...envelope, text: null }, 'text: '],
    ['a source that is no slug', { ...envelope, source: 'Twilio!' }, 'source: expected a connector name'],
    ['a time that is not in UTC', { ...envelope, occurredAt: '2026-03-01T12:00:00+01:00' }, 'occurredAt: '],
    ['a time that is none', { ...envelope, receivedAt: 'soon' }, 'receivedAt: '],
    [
      'an attachment without web address',
      { ...envelope, attachments: [{ url: 'file:///x' }] },
      'attachments.0.url: ',
    ],
    [
      'a negative size',
      { ...envelope, attachments: [{ url: 'https://a.example', size: -1 }] },
      'attachments.0.size: ',
    ],
    ['a correlation id that is no UUID', { ...envelope, correlationId: 'c1' }, 'correlationId: '],
    ['an id over 250 characters', { ...envelope, id: `t:${'1'.repeat(249)}` }, 'id: '],
    [
      'an empty destination',
      { ...envelope, replyTo: { ...envelope.replyTo, destination: '' } },
      'replyTo.destination: ',
    ],
  ])('%s is INVALID and the field is named', (_name, body, detail) => {
    const result = decodeIngress(json(body));
    expect(result).toMatchObject({ ok: false, fault: { code: 'INVALID' } });
    expect(result.ok ? '' : result.fault.detail).toContain(detail);
  });

  it('tells every fault, and no value', () => {
    const result = decodeIngress(
      json({ ...envelope, from: '', text: 5551234567, channel: { id: 'secret-id' } }),
    );
    const detail = result.ok ? '' : result.fault.detail;
    expect(detail).toContain('from: ');
    expect(detail).toContain('text: ');
    expect(detail).toContain('channel.kind: ');
    expect(detail).not.toMatch(/5551234567|secret-id/);
  });

  it('gets a short detail however many faults it has, and however long its keys are', () => {
    const attachments = Array.from({ length: 15_000 }, () => 1);
    const many = decodeIngress(json({ ...envelope, attachments }));
    expect(many.ok ? '' : many.fault.detail).toContain('and 14990 more');
    const attributes = { ['k'.repeat(100_000)]: 1 };
    const long = decodeDeadLetter(json({ ...letter, origin: { ...letter.origin, attributes } }));
    for (const result of [many, long]) {
      expect(result.ok).toBe(false);
      expect(result.ok ? '' : result.fault.detail.length).toBeLessThan(3_000);
    }
  });

  it('is INVALID when nested beyond what can be walked', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const body = JSON.stringify(envelope).replace('"metadata":{', `"metadata":{"a":${deep},`);
    expect(decodeIngress(bytes(body))).toEqual({
      ok: false,
      fault: { code: 'INVALID', detail: 'body: nested too deeply: 100 levels are allowed' },
    });
  });
});

describe('size', () => {
  const room = MAX_BODY_BYTES - json({ ...envelope, text: '' }).byteLength;
  const atTheLimit = { ...envelope, text: 'x'.repeat(room) };
  const beyond = { ...envelope, text: 'x'.repeat(room - 1) + 'é' };

  it('is allowed up to the limit, both ways', () => {
    const encoded = valueOf(encodeIngress(atTheLimit));
    expect(encoded.data.byteLength).toBe(MAX_BODY_BYTES);
    expect(decodeIngress(encoded.data).ok).toBe(true);
  });

  it('is counted in bytes and refused beyond, both ways', () => {
    const fault = {
      code: 'TOO_LARGE',
      detail: `body has ${MAX_BODY_BYTES + 1} bytes, ${MAX_BODY_BYTES} are allowed`,
    };
    expect(encodeIngress(beyond)).toEqual({ ok: false, fault });
    expect(decodeIngress(json(beyond))).toEqual({ ok: false, fault });
  });
});

describe('a body that has no JSON', () => {
  it('is a result, not an exception', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (const extra of [circular, 10n]) {
      expect(encodeIngress({ ...envelope, extra })).toMatchObject({ ok: false, fault: { code: 'INVALID' } });
    }
  });
});

describe('defaults', () => {
  it('spare a bot the empty lists', () => {
    const { attachments: _attachments, metadata: _metadata, ...rest } = event;
    expect(decodeEgress(json(rest))).toEqual({ ok: true, value: event });
  });
});
