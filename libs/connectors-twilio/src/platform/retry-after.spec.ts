import { ManualClock } from '@bitbrat/foundation/testing';
import { retryAfterIn, ToldWait } from './retry-after.js';

/** A frame as the platform writes it: lengths count bytes, the payload follows after one line end. */
function frame(header: unknown, payload = ''): Buffer {
  const head = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header), 'utf8');
  const line = Buffer.from(`TWILSOCK V3.0 ${head.length}\r\n`);
  return Buffer.concat([line, head, Buffer.from(`\r\n${payload}`)]);
}

function reply(code: number, headers: unknown = { 'retry-after': '60' }, status = 'x'): object {
  return {
    method: 'reply',
    id: 'TM1',
    payload_size: 0,
    status: { code: 200, status: 'OK' },
    http_headers: headers,
    http_status: { code, status },
  };
}

describe('retryAfterIn', () => {
  it.each([
    ['a reply 429', frame(reply(429)), 60_000],
    ['a reply 503', frame(reply(503)), 60_000],
    ['a header in capitals', frame(reply(429, { 'Retry-After': '7' })), 7_000],
    ['a number', frame(reply(429, { 'retry-after': 7 })), 7_000],
    ['header names that are not ASCII', frame(reply(429, { 'retry-after': '7', ü: '…' }, 'Zu viel')), 7_000],
    ['a header written with spaces', frame(JSON.stringify(reply(429), undefined, 2)), 60_000],
    ['a payload behind it', frame(reply(429), '{"code":20429}\r\n'), 60_000],
    ['a reply 429 that tells none', frame(reply(429, { 'content-type': 'text/plain' })), undefined],
    ['a reply 429 without headers', frame({ ...reply(429), http_headers: undefined }), undefined],
    ['headers that are none', frame(reply(429, 'retry-after: 60')), undefined],
    ['a reply 200', frame(reply(200)), undefined],
    ['a reply 500', frame(reply(500)), undefined],
    ['a status of the frame', frame({ ...reply(200), status: { code: 429 } }), undefined],
    ['a notification', frame({ ...reply(429), method: 'notification' }), undefined],
    ['a payload that speaks of 429', frame(reply(200), JSON.stringify(reply(429))), undefined],
    ['a header that is cut off', frame(reply(429)).subarray(0, 60), undefined],
    ['a header that is not JSON', frame('"http_status":{"code":429}'), undefined],
    ['something else', Buffer.from('429 503 "code":429'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('%s', (_, bytes, expected) => {
    expect(retryAfterIn(bytes)).toBe(expected);
  });
});

describe('ToldWait', () => {
  it('counts down, and is none when it is over', async () => {
    const clock = new ManualClock();
    const wait = new ToldWait(clock);
    expect(wait.remainingMs).toBeUndefined();
    wait.hear(frame(reply(429)));
    expect(wait.remainingMs).toBe(60_000);
    await clock.advance(59_999);
    expect(wait.remainingMs).toBe(1);
    await clock.advance(1);
    expect(wait.remainingMs).toBeUndefined();
  });

  it.each(['901', '86400', '999999999'])('of %s seconds is over after 15 minutes', async (seconds) => {
    const clock = new ManualClock();
    const wait = new ToldWait(clock);
    wait.hear(frame(reply(429, { 'retry-after': seconds })));
    expect(wait.remainingMs).toBe(900_000);
    await clock.advance(900_000);
    expect(wait.remainingMs).toBeUndefined();
  });

  it('is not cut short by a shorter one, which is for another request', () => {
    const wait = new ToldWait(new ManualClock());
    wait.hear(frame(reply(429)));
    wait.hear(frame(reply(429, { 'retry-after': '1' })));
    wait.hear(frame(reply(200)));
    expect(wait.remainingMs).toBe(60_000);
  });
});
