import { readMessageBody } from './message-body.js';
import { readMultipart } from './multipart.js';

const type = 'multipart/form-data; boundary=B';
const lines = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('\r\n'));

describe('readMultipart', () => {
  it('splits parts, whatever their bytes are', () => {
    const body = lines(
      'preamble',
      '--B',
      'Content-Disposition: form-data; name="payload_json"',
      '',
      '{"a":1}',
      '--B',
      'content-disposition: form-data; name="files[0]"; filename="a%22ö.bin"',
      'Content-Type: image/png',
      '',
      '\r\n--\r\n-B',
      '--B--',
      'epilogue',
    );
    expect(readMultipart(type, body)).toEqual([
      { name: 'payload_json', filename: undefined, contentType: '', bytes: Buffer.from('{"a":1}') },
      {
        name: 'files[0]',
        filename: 'a"ö.bin',
        contentType: 'image/png',
        bytes: Buffer.from('\r\n--\r\n-B'),
      },
    ]);
  });

  it.each([
    ['no boundary', 'multipart/form-data', '--B--'],
    ['no delimiter', type, 'nonsense'],
    ['no end', type, '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'],
    ['no name', type, '--B\r\nX: y\r\n\r\nx\r\n--B--'],
    ['no headers', type, '--B\r\nx\r\n--B--'],
  ])('refuses a body with %s', (_name, contentType, body) =>
    expect(readMultipart(contentType, Buffer.from(body))).toBeUndefined(),
  );

  it('reads what browsers and Node send', async () => {
    const form = new FormData();
    form.append('files[0]', new Blob([new Uint8Array([0, 13, 10, 255])]), 'a "b".bin');
    form.append('payload_json', '{}');
    const request = new Response(form);
    const body = Buffer.from(await request.arrayBuffer());
    const parts = readMultipart(request.headers.get('content-type') ?? '', body);
    expect(parts?.map(({ name, filename, bytes }) => [name, filename, bytes.length])).toEqual([
      ['files[0]', 'a "b".bin', 4],
      ['payload_json', undefined, 2],
    ]);
  });
});

describe('readMessageBody', () => {
  it('reads JSON', () => {
    const body = readMessageBody('application/json', Buffer.from('{"content":"x"}'), 10);
    expect(body).toEqual({ payload: { content: 'x' }, files: [] });
  });

  it.each([
    ['no JSON', 'application/json', 'nonsense'],
    ['a broken form', type, 'nonsense'],
    [
      'a payload that is no JSON',
      type,
      '--B\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{\r\n--B--',
    ],
  ])('refuses %s', (_name, contentType, body) =>
    expect(() => readMessageBody(contentType, Buffer.from(body), 10)).toThrow('invalid JSON'),
  );

  it('refuses files that are too large together', () => {
    const file = (n: number): string =>
      `--B\r\nContent-Disposition: form-data; name="files[${n}]"; filename="f"\r\n\r\n123456\r\n`;
    const body = Buffer.from(`${file(0)}${file(1)}--B--`);
    expect(readMessageBody(type, body, 12).files).toHaveLength(2);
    expect(() => readMessageBody(type, body, 11)).toThrow('too large');
  });
});
