import { Http2Calls } from './http2-calls.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function frame(type: number, flags: number, stream: number, payload = ''): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, Buffer.from(payload)]);
}
const settings = frame(4, 0, 0);
const headers = frame(1, 4, 1, 'head');
const data = frame(0, 0, 1, 'body');
const end = frame(0, 1, 1);

describe('the calls of an HTTP/2 connection', () => {
  it.each([
    ['passes on what is whole', [PREFACE, settings, headers, data], [PREFACE, settings, headers, data]],
    ['ends a cancelled call', [PREFACE, headers, frame(3, 0, 1, '0008')], [PREFACE, headers, end]],
    [
      'ends no call twice',
      [PREFACE, headers, frame(0, 1, 1, 'x'), frame(3, 0, 1, '0008')],
      [PREFACE, headers, frame(0, 1, 1, 'x')],
    ],
  ])('%s, however it is cut', (_, sent, expected) => {
    const calls = new Http2Calls();
    const bytes = Buffer.concat(sent);
    const passed = [...bytes].map((_byte, i) => calls.take(bytes.subarray(i, i + 1)));
    expect(Buffer.concat(passed)).toEqual(Buffer.concat(expected));
    expect(new Http2Calls().take(bytes)).toEqual(Buffer.concat(expected));
  });

  it('ends the calls of a client that is gone, and drops half a frame', () => {
    const calls = new Http2Calls();
    calls.take(Buffer.concat([PREFACE, headers, frame(1, 5, 3, 'x'), data.subarray(0, 11)]));
    expect(calls.end()).toEqual(end);
  });
});
