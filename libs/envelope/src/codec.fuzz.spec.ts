import fc from 'fast-check';
import { toAttributes } from './attributes.js';
import {
  decodeDeadLetter,
  decodeEgress,
  decodeIngress,
  decodeOutcome,
  decodeStatus,
  encodeEgress,
  MAX_BODY_BYTES,
} from './codec.js';
import { egressEventSchema } from './egress-event.js';
import { exceededBound, MAX_DEPTH, MAX_VALUES } from './json-bounds.js';

const event = {
  v: '1',
  id: 'e1',
  type: 'chat.send.v1',
  target: { connector: 'twilio', destination: 'CH1' },
  text: 'hi',
  attachments: [],
  correlationId: 'c1',
  metadata: {},
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = fc.string({ unit: 'binary' });
const hostile = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', ' ', '\0', '\ud800', '\udfff\ud800', [], {}, [[]]),
  fc.constantFrom<unknown>('a'.repeat(10_000), { ['__proto__']: { text: 'x' } }, { constructor: 1 }),
  fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toString', 'text', 'url', 'a'), text),
  text,
);
/** An event of which some fields, unknown ones included, hold anything. */
const almost = fc
  .dictionary(fc.constantFrom(...Object.keys(event), 'expiresAt', 'inReplyTo', 'toJSON', '', 'more'), hostile)
  .map((changes) => ({ ...event, ...changes }));
const body = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map(bytes),
  almost.map((value) => bytes(JSON.stringify(value))),
  // Names that an object literal cannot have.
  text.map((key) =>
    bytes(
      `{"__proto__":{"expiresAt":"never","polluted":true},${JSON.stringify(key)}:1,${JSON.stringify(event).slice(1)}`,
    ),
  ),
);

describe('decoding anything', () => {
  it('never throws, and says what is wrong without the value', () => {
    fc.assert(
      fc.property(body, (data) => {
        for (const decode of [decodeEgress, decodeIngress, decodeOutcome, decodeStatus, decodeDeadLetter]) {
          const result = decode(data);
          if (!result.ok) expect(result.fault.detail.length).toBeLessThan(5_000);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives events that keep the contract, inherit nothing, and can be encoded', () => {
    let read = 0;
    fc.assert(
      fc.property(body, (data) => {
        const result = decodeEgress(data);
        if (!result.ok) return;
        read += 1;
        expect(egressEventSchema.safeParse(result.value).success).toBe(true);
        expect(Object.getPrototypeOf(result.value)).toBe(Object.prototype);
        expect(Object.getPrototypeOf(result.value.metadata)).toBe(Object.prototype);
        expect('polluted' in result.value).toBe(false);
        expect(encodeEgress(result.value, '/bots/x', '2026-01-01T00:00:00.000Z').ok).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(100);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  const fill = (unit: string, tail = ''): string =>
    `${JSON.stringify(event).slice(0, -1)},"x":${unit.repeat(Math.floor((MAX_BODY_BYTES - 400) / unit.length))}${tail}`;
  it.each([
    ['brackets', fill('[')],
    ['objects', fill('{"a":')],
    ['invalid attachments', `{"attachments":[${'1,'.repeat(3_000_000)}1]}`],
    ['empty attachments', `{"attachments":[${'{},'.repeat(2_000_000)}{}]}`],
    ['keys', `{${Array.from({ length: 400_000 }, (_, i) => `"k${i}":1`).join()}}`],
    ['metadata', `{"metadata":{"a":[${'1,'.repeat(3_000_000)}1]}}`],
    ['a string without an end', fill('"\\"')],
    ['white space in a text', JSON.stringify({ ...event, text: ' '.repeat(6_900_000) })],
    ['a URL', JSON.stringify({ ...event, attachments: [{ url: `http://${'a.'.repeat(3_400_000)}` }] })],
    ['a time', JSON.stringify({ ...event, expiresAt: '1'.repeat(6_900_000) })],
    ['a connector name', JSON.stringify({ ...event, target: { connector: 'a'.repeat(6_900_000) } })],
  ])('takes less than half a second of CPU for megabytes of %s', (_name, json) => {
    const data = bytes(json);
    const runs = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      decodeEgress(data);
      const { system, user } = process.cpuUsage(before);
      return (system + user) / 1_000;
    });
    expect(Math.min(...runs)).toBeLessThan(500);
  });
});

describe('exceededBound', () => {
  it('counts what JSON holds, whatever stands in its strings', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.json({ maxDepth: 8, stringUnit: 'binary' }), (json) => {
        expect(exceededBound(bytes(json))).toBeUndefined();
        const levels = MAX_DEPTH - depthOf(JSON.parse(json));
        const nested = `${'['.repeat(levels)}${json}${']'.repeat(levels)}`;
        expect(exceededBound(bytes(nested))).toBeUndefined();
        expect(exceededBound(bytes(`[${nested}]`))).toMatch(/nested too deeply/);
      }),
    );
  });

  it.each([
    [MAX_VALUES - 1, undefined],
    [MAX_VALUES, `more than ${MAX_VALUES} values`],
  ])('of an array of %d is %j', (count, expected) => {
    expect(exceededBound(bytes(JSON.stringify(Array(count).fill('a,[{'))))).toBe(expected);
  });
});

describe('toAttributes, for any values', () => {
  it('has only what the bus takes', () => {
    const value = fc.oneof(
      text,
      fc.constantFrom('a'.repeat(1_024), 'a'.repeat(1_025), '漢'.repeat(342), '\0'),
    );
    fc.assert(
      fc.property(
        value,
        value,
        value,
        fc.option(value, { nil: undefined }),
        (id, source, subject, traceparent) => {
          const attributes = toAttributes({ id, source, type: 't', time: 'now', subject, traceparent });
          const bad = Object.values(attributes).filter((it) => it === '' || Buffer.byteLength(it) > 1_024);
          expect(bad).toEqual([]);
        },
      ),
    );
  });
});
