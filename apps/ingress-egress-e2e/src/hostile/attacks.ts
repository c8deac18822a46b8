const POST =
  'POST /webhooks/twilio HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n';

/** Bytes to the HTTP port, and the status of the answer; empty: the connection is closed without one. */
export const HTTP_ATTACKS: readonly (readonly [string, string | Buffer, string])[] = [
  ['a header that never ends', 'GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ', '408'],
  ['a body that never ends', `${POST}Content-Length: 10\r\n\r\n12345`, '408'],
  ['chunks that never end', `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n`, '408'],
  ['huge headers', `GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40_000)}`, '431'],
  ['a huge body', `${POST}Content-Length: 9999999999\r\n\r\n1`, '413'],
  ['a huge body that asks first', `${POST}Expect: 100-continue\r\nContent-Length: 9999999999\r\n\r\n`, '413'],
  ['a length and chunks', `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '400'],
  ['no HTTP', 'EHLO example.org\r\n\r\n', '400'],
  ['TLS', Buffer.from('160301020001000001fc0303', 'hex'), '400'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
  ['a tunnel', 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n', ''],
  ['an upgrade', 'GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', '404'],
  ['a malformed path', 'GET /webhooks/%ZZ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', '400'],
  [
    'a name of an object',
    'POST /webhooks/__proto__ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    '404',
  ],
  [
    'the same in /_debug',
    'GET /_debug/constructor HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    '404',
  ],
  ['a flood on one connection', 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5_000), '200'],
];

const form = (count: number): string =>
  Array.from({ length: count }, (_, index) => `n${index}=`)
    .join('&')
    .slice(0, 1_000_000);

/** Bodies of webhooks that are not signed. Each is answered with 403. */
export const WEBHOOK_BODIES: readonly (readonly [string, string, string])[] = [
  ['many names', 'application/x-www-form-urlencoded', form(150_000)],
  ['one name many times', 'application/x-www-form-urlencoded', 'a=1&'.repeat(250_000)],
  ['percent signs', 'application/x-www-form-urlencoded', '%'.repeat(1_000_000)],
  ['plus signs', 'application/x-www-form-urlencoded', '+'.repeat(1_000_000)],
  ['deep JSON', 'application/json', '['.repeat(1_000_000)],
  ['long JSON', 'application/json', `[${'1,'.repeat(499_000)}1]`],
  ['zeros', 'application/octet-stream', '\0'.repeat(1_000_000)],
];

const event = (fields: object): string =>
  JSON.stringify({
    v: '1',
    id: 'hostile',
    type: 'chat.send.v1',
    target: { connector: 'twitch', destination: 'bitbrat' },
    text: 'x',
    attachments: [],
    correlationId: 'c',
    metadata: {},
    ...fields,
  });

/** Bodies on the egress topic, and the code of the dead letter that each becomes. */
export const BUS_BODIES: readonly (readonly [string, string, string])[] = [
  ['a space', ' ', 'NOT_JSON'],
  ['noise', '\u0000\u0001\ufffd', 'NOT_JSON'],
  ['half JSON', '{"v":"1"', 'NOT_JSON'],
  ['a number', '1', 'INVALID'],
  ['null', 'null', 'INVALID'],
  ['a list', '[]', 'INVALID'],
  ['another version', event({ v: '2' }), 'UNKNOWN_VERSION'],
  ['a version that is no text', event({ v: 1 }), 'UNKNOWN_VERSION'],
  ['another type', event({ type: 'chat.delete.v9' }), 'INVALID'],
  ['a text that is no text', event({ text: { a: 1 } }), 'INVALID'],
  ['an empty id', event({ id: '' }), 'INVALID'],
  [
    'an unknown connector',
    event({ id: 'hostile-fax', target: { connector: 'fax', destination: 'x' } }),
    'TARGET_NOT_FOUND',
  ],
  [
    'a connector named like an object',
    event({ id: 'hostile-proto', target: { connector: 'constructor', destination: 'x' } }),
    'TARGET_NOT_FOUND',
  ],
  [
    'much text to an unknown connector',
    event({ id: 'hostile-big', target: { connector: 'fax', destination: 'x' }, text: 'x'.repeat(1_000_000) }),
    '',
  ],
];

/** Lines that Twitch would never send, and would have to be survived if it did. */
export const TWITCH_LINES: readonly string[] = [
  ':',
  '@',
  '@;;;=;= :x',
  '@badges=;tmi-sent-ts=NaN;id= :a!a@a PRIVMSG #bitbrat :x',
  ':a!a@a PRIVMSG',
  ':tmi.twitch.tv 999 x',
  `@${'a=b;'.repeat(5_000)} :a!a@a PRIVMSG #bitbrat :x`,
  ':tmi.twitch.tv CAP * NAK :x',
  '@emotes=1:999999999-1000000000,x:y-z :a!a@a PRIVMSG #bitbrat :x',
  ':tmi.twitch.tv ROOMSTATE',
  ':tmi.twitch.tv USERNOTICE #bitbrat',
];
