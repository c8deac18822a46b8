import { ConnectorError, toErrorInfo } from '@bitbrat/connectors-core';
import {
  decodeDeadLetter,
  decodeOutcome,
  encodeDeadLetter,
  encodeOutcome,
  MAX_BODY_BYTES,
} from '@bitbrat/envelope';
import fc from 'fast-check';
import { fitOutcome } from './fitting.js';
import { toDeadLetter, toOutcome } from './outcomes.js';

/** As Pub/Sub allows (its documentation, "Quotas and limits"). */
const ATTRIBUTES = 100;

const attribute = fc.constantFrom('a', '\u0001', '"', '漢', '\ud800');
const attributes = fc
  .record({ count: fc.nat(ATTRIBUTES), fill: attribute })
  .map(({ count, fill }) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `${i}${fill.repeat(Math.floor(250 / Buffer.byteLength(fill)))}`,
        fill.repeat(Math.floor(1_024 / Buffer.byteLength(fill))),
      ]),
    ),
  );
const message = fc.record({
  size: fc.oneof(
    fc.nat(10_000_000),
    fc.constantFrom(0, 1, 2, 3, 5_100_000, 5_249_000, 5_250_000, 5_800_000, 6_900_000, 7_000_000, 10_000_000),
  ),
  attributes,
  orderingKey: fc.option(fc.constantFrom('k', '\u0001'.repeat(1_024)), { nil: undefined }),
  reason: fc.constantFrom('no', '<html>'.repeat(1_000_000), '\ud83d\ude00'.repeat(1_000_000)),
});

describe('a dead letter', () => {
  it('fits into a message and can be read, whatever it is of, and says what it has left out', () => {
    fc.assert(
      fc.property(message, ({ attributes: given, orderingKey, reason, size }) => {
        const data = Buffer.alloc(size, 'x');
        const origin = { id: 'm1', topic: 't', data, attributes: given };
        const error = toErrorInfo(new ConnectorError('UPSTREAM_UNAVAILABLE', reason, { nativeCode: reason }));
        const letter = toDeadLetter(
          orderingKey === undefined ? origin : { ...origin, orderingKey },
          error,
          1,
          0,
        );
        const encoded = encodeDeadLetter(letter, '/test');
        if (!encoded.ok) throw new Error(encoded.fault.detail);
        const read = decodeDeadLetter(encoded.value.data);
        if (!read.ok) throw new Error(read.fault.detail);
        const kept = Buffer.from(read.value.bodyBase64, 'base64');
        expect(read.value.bodyBytes).toBe(size);
        expect(read.value.bodySha256).toMatch(/^[0-9a-f]{64}$/);
        expect(read.value.truncated).toBe(kept.byteLength < size);
        expect(kept.equals(data.subarray(0, kept.byteLength))).toBe(true);
        // As much as fits is kept.
        if (read.value.truncated) expect(encoded.value.data.byteLength).toBeGreaterThan(MAX_BODY_BYTES - 8);
      }),
      { numRuns: 25 },
    );
  });
});

describe('an outcome', () => {
  const MEGABYTES = 6_990_000;
  const large = 'x'.repeat(MEGABYTES);
  it.each([
    ['unknown fields', { target: { connector: 'fax', destination: 'x', more: large } }],
    ['a long correlation id', { correlationId: large }],
    ['an error of many megabytes', { reason: `${large}${large}` }],
  ])('of an event with %s fits and can be read', (_name, { correlationId, reason, target }: Wish) => {
    const error = new ConnectorError('TARGET_NOT_FOUND', reason ?? 'no');
    const outcome = toOutcome(
      {
        v: '1',
        id: 'e'.repeat(256),
        type: 'chat.send.v1',
        target: target ?? { connector: 'fax', destination: 'x' },
        text: 'hi',
        attachments: [],
        correlationId: correlationId ?? 'c',
        metadata: {},
      },
      { status: 'failed', attempts: 1, platformMessageIds: [], error, now: 0 },
    );
    const encoded = encodeOutcome(fitOutcome(outcome), '/test');
    if (!encoded.ok) throw new Error(encoded.fault.detail);
    expect(decodeOutcome(encoded.value.data)).toMatchObject({
      ok: true,
      value: { eventId: 'e'.repeat(256) },
    });
    expect(encoded.value.data.byteLength).toBeLessThan(10_000);
  });
});

interface Wish {
  readonly correlationId?: string;
  readonly reason?: string;
  readonly target?: { readonly connector: string; readonly destination: string; readonly more: string };
}
