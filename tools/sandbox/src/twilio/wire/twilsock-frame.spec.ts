import { decodeFrame, encodeFrame, FrameError } from './twilsock-frame.js';

describe('Twilsock frames', () => {
  it.each([
    ['no payload', { method: 'ping', id: 'TM1' }, undefined],
    ['an object', { method: 'reply', id: 'TM1' }, { text: 'hello' }],
    ['characters of two, three and four bytes', { method: 'x', note: 'é€🚀' }, { text: 'Grüße €5 🚀' }],
    ['line ends', { method: 'x' }, { text: 'a\r\nb' }],
    ['null', { method: 'x' }, null],
  ])('carries %s there and back', (_name, header, payload) => {
    const frame = decodeFrame(encodeFrame(header, payload));
    expect(frame.header).toMatchObject(header);
    const text = frame.payload.toString('utf8');
    expect(text === '' ? undefined : (JSON.parse(text) as unknown)).toEqual(payload);
  });

  it('counts bytes, not characters', () => {
    const bytes = encodeFrame({ id: '🚀' }, '€');
    expect(bytes.toString('utf8')).toBe(
      'TWILSOCK V3.0 64\r\n{"id":"🚀","payload_size":5,"payload_type":"application/json"}\r\n"€"',
    );
  });

  it('writes no payload and no type where there is none', () => {
    expect(encodeFrame({ id: 'a' }).toString('utf8')).toBe(
      'TWILSOCK V3.0 27\r\n{"id":"a","payload_size":0}\r\n',
    );
  });

  it('ignores what follows the payload, and takes a missing payload_size for 0', () => {
    const bytes = Buffer.concat([encodeFrame({ id: 'a' }, 1), Buffer.from('\r\n')]);
    expect(decodeFrame(bytes).payload.toString()).toBe('1');
    expect(decodeFrame(Buffer.from('TWILSOCK V3.0 2\r\n{}\r\n')).payload).toHaveLength(0);
  });

  it.each([
    ['', 'does not begin'],
    ['hello', 'does not begin'],
    ['TWILSOCK V3.0 x\r\n{}\r\n', 'does not begin'],
    ['TWILSOCK V3.0 -2\r\n{}\r\n', 'does not begin'],
    ['TWILSOCK V3.0 99\r\n{}\r\n', 'header is cut off'],
    ['TWILSOCK V3.0 2\r\n[]\r\n', 'not a JSON object'],
    ['TWILSOCK V3.0 2\r\n{x\r\n', 'not a JSON object'],
    ['TWILSOCK V3.0 2\r\n{}xx', 'no line end'],
    ['TWILSOCK V3.0 20\r\n{"payload_size":"0"}\r\n', 'not a number of bytes'],
    ['TWILSOCK V3.0 19\r\n{"payload_size":-1}\r\n', 'not a number of bytes'],
    ['TWILSOCK V3.0 18\r\n{"payload_size":9}\r\n1', 'payload is cut off'],
  ])('refuses %j', (text, reason) => {
    const decode = (): unknown => decodeFrame(Buffer.from(text));
    expect(decode).toThrow(FrameError);
    expect(decode).toThrow(reason);
  });
});
