/** Bytes for a client of a platform: one message of its WebSocket, or what lies below it. */
export interface HostileFrame {
  readonly name: string;
  readonly as: 'text' | 'binary' | 'tcp';
  readonly bytes: Buffer;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Stands for whatever a field should not be. Each frame gets one; over all fields of a template each comes up. */
const WRONG: readonly Json[] = [
  null,
  true,
  -1,
  1e308,
  0,
  '',
  'x',
  [],
  [null],
  {},
  { id: [] },
  'y'.repeat(5_000),
];

/** Deep enough to exhaust the stack of whatever descends by recursion. */
const DEEP = 100_000;

/** The template with each of its fields, at any depth, once of a wrong type and once left out. */
function* variantsOf(template: Json, path = ''): Generator<readonly [string, Json]> {
  if (typeof template !== 'object' || template === null) return;
  const entries: readonly (readonly [string, Json])[] = Object.entries(template);
  for (const [index, [key, value]] of entries.entries()) {
    const name = `${path}.${key}`;
    const put = (changed: Json | undefined): Json => {
      const pairs = entries.map(([k, v]) => [k, k === key ? changed : v] as const);
      const kept = pairs.flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const]));
      return Array.isArray(template) ? kept.map(([, v]) => v) : Object.fromEntries(kept);
    };
    const wrong = WRONG[(index * 5 + name.length) % WRONG.length] ?? null;
    yield [`${name} = ${JSON.stringify(wrong).slice(0, 20)}`, put(wrong)];
    yield [`${name} missing`, put(undefined)];
    for (const [inner, changed] of variantsOf(value, name)) yield [inner, put(changed)];
  }
}

const text = (name: string, json: Json | string): HostileFrame => ({
  name,
  as: 'text',
  bytes: Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)),
});

/** Bytes that are no message of any protocol, whatever comes by WebSocket. */
function noiseOf(valid: Buffer, as: 'text' | 'binary'): HostileFrame[] {
  const frame = (name: string, bytes: Buffer | string): HostileFrame => ({
    name,
    as,
    bytes: Buffer.from(bytes),
  });
  return [
    frame('nothing', ''),
    frame('half a message', valid.subarray(0, valid.length / 2)),
    frame('zeros', Buffer.alloc(1_000)),
    frame('a megabyte of zeros', Buffer.alloc(2 ** 20)),
    frame('two messages in one', Buffer.concat([valid, valid])),
    { name: 'the other kind of message', as: as === 'text' ? 'binary' : 'text', bytes: valid },
    { name: 'a message that is not UTF-8', as: 'text', bytes: Buffer.from([0x22, 0xff, 0xfe, 0x22]) },
    { name: 'a reserved WebSocket opcode', as: 'tcp', bytes: Buffer.from([0x83, 0x00]) },
    { name: 'a masked frame of a server', as: 'tcp', bytes: Buffer.from('818100000000', 'hex') },
    { name: 'a length of 2^63', as: 'tcp', bytes: Buffer.from('827f8000000000000000', 'hex') },
    { name: 'HTTP inside the WebSocket', as: 'tcp', bytes: Buffer.from('HTTP/1.1 200 OK\r\n\r\n') },
  ];
}

const person = { id: '1300000000000000001', username: 'ada', global_name: null, bot: false };
const GUILD = '1000000000000000001';
const GENERAL = '1000000000000000003';

const DISPATCHES: readonly (readonly [string, Json])[] = [
  [
    'MESSAGE_CREATE',
    {
      id: '1300000000000000002',
      channel_id: GENERAL,
      guild_id: GUILD,
      author: person,
      member: { nick: 'Ada', roles: ['1'] },
      content: 'hostile',
      timestamp: '2026-11-20T09:15:30.123000+00:00',
      edited_timestamp: null,
      type: 19,
      mentions: [person],
      attachments: [{ id: '1', url: 'https://example.org/a.png', filename: 'a.png', size: 1 }],
      message_reference: { type: 0, message_id: '1', channel_id: GENERAL },
    },
  ],
  [
    'MESSAGE_UPDATE',
    { id: '1300000000000000002', channel_id: GENERAL, guild_id: GUILD, author: person, content: 'x' },
  ],
  ['MESSAGE_DELETE', { id: '1', channel_id: GENERAL, guild_id: GUILD }],
  [
    'GUILD_CREATE',
    {
      id: '1000000000000000999',
      name: 'other',
      unavailable: false,
      channels: [
        { id: '1000000000000000998', type: 0, name: 'a', permission_overwrites: [{ id: '1', type: 0 }] },
      ],
      threads: [{ id: '1000000000000000997', type: 11, parent_id: '1000000000000000998' }],
      roles: [{ id: '1000000000000000999', name: '@everyone', permissions: '0' }],
      members: [{ user: person, roles: ['1'] }],
    },
  ],
  ['GUILD_UPDATE', { id: GUILD, name: 'x', roles: [{ id: GUILD, permissions: '0' }] }],
  ['GUILD_DELETE', { id: '1000000000000000999', unavailable: true }],
  ['CHANNEL_CREATE', { id: '1000000000000000996', type: 0, guild_id: GUILD, name: 'a' }],
  [
    'CHANNEL_UPDATE',
    { id: '1000000000000000996', type: 0, guild_id: GUILD, permission_overwrites: [{ id: '1' }] },
  ],
  ['CHANNEL_DELETE', { id: '1000000000000000996', type: 0, guild_id: GUILD }],
  ['THREAD_CREATE', { id: '1000000000000000995', type: 11, guild_id: GUILD, parent_id: GENERAL }],
  ['THREAD_LIST_SYNC', { guild_id: GUILD, threads: [{ id: '1' }], members: [{ id: '1' }] }],
  ['GUILD_ROLE_UPDATE', { guild_id: GUILD, role: { id: GUILD, permissions: '0' } }],
  ['GUILD_MEMBER_UPDATE', { guild_id: GUILD, user: person, roles: ['1'] }],
  ['USER_UPDATE', person],
  ['RESUMED', { _trace: ['x'] }],
  ['NO_SUCH_EVENT', { x: 1 }],
  ['constructor', { x: 1 }],
];

const dispatch = (t: Json, d: Json, s: Json = null): Json => ({ op: 0, t, s, d });

/** Frames that Discord's gateway would never send. */
export function discordFrames(): HostileFrame[] {
  const valid = Buffer.from(JSON.stringify(dispatch('NO_SUCH_EVENT', { x: 1 })));
  const nested = '['.repeat(DEEP) + ']'.repeat(DEEP);
  return [
    ...noiseOf(valid, 'text'),
    ...[...WRONG].map((json) => text(`the message ${JSON.stringify(json).slice(0, 20)}`, json)),
    ...[-1, 2, 3, 6, 8, 99, 1.5, 1e308, '0', null, [], {}].map((op) =>
      text(`op ${JSON.stringify(op)}`, { op, d: {}, s: null, t: null }),
    ),
    // Each 9 costs a new session, which Discord allows every 5 seconds.
    ...[1, 7, 10, 11, 9].flatMap((op) =>
      (op === 9 ? ['x'] : [null, 'x', { heartbeat_interval: 'x' }, { heartbeat_interval: -1 }]).map((d) =>
        text(`op ${op} with ${JSON.stringify(d)}`, { op, d, s: null, t: null }),
      ),
    ),
    ...['x', -1, 1.5, [], {}, true].map((s) =>
      text(`the sequence ${JSON.stringify(s)}`, dispatch('NO_SUCH_EVENT', {}, s)),
    ),
    ...[null, 1, [], {}, true].map((t) => text(`the event ${JSON.stringify(t)}`, dispatch(t, {}))),
    text('deep nesting', nested),
    text(
      'deep nesting in a field',
      `{"op":0,"t":"MESSAGE_CREATE","s":null,"d":{"id":"1","embeds":${nested}}}`,
    ),
    text(
      'a message of a megabyte',
      dispatch('MESSAGE_CREATE', { id: '1', channel_id: GENERAL, content: 'x'.repeat(2 ** 20) }),
    ),
    text(
      'a message of 50,000 fields',
      dispatch('MESSAGE_CREATE', Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, i]))),
    ),
    ...DISPATCHES.flatMap(([event, d]) => [
      ...[null, [], 'x', 1].map((wrong) =>
        text(`${event} with ${JSON.stringify(wrong)}`, dispatch(event, wrong)),
      ),
      ...[...variantsOf(d)].map(([name, variant]) => text(`${event}${name}`, dispatch(event, variant))),
    ]),
  ];
}

const PREFIX = 'TWILSOCK V3.0 ';

function twilsock(name: string, header: Json, payload = ''): HostileFrame {
  const head = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.concat([
    Buffer.from(`${PREFIX}${head.length}\r\n`),
    head,
    Buffer.from(`\r\n${payload}`),
  ]);
  return { name, as: 'binary', bytes };
}

const NOTIFICATION = { method: 'notification', id: 'TM1', message_type: 'twilio.sync.event' };

const FRAMES: readonly (readonly [string, Json, Json])[] = [
  [
    'notification',
    NOTIFICATION,
    {
      event_type: 'list_item_added',
      correlation_id: 1,
      event_protocol_version: 4,
      strictly_ordered: false,
      event: {
        id: 1,
        date_created: '2026-11-20T09:15:30.123Z',
        list_sid: 'ES1',
        list_unique_name: 'CH1.messages',
        item_index: 1,
        item_revision: '1',
        item_data: { author: 'x', body: 'hostile', sid: 'IM1' },
      },
    },
  ],
  [
    'map event',
    { method: 'notification', id: 'TM2', message_type: 'twilio.sync.event' },
    {
      event_type: 'map_item_added',
      event: { id: 2, map_sid: 'MP1', item_key: 'CH2', item_data: { status: 'joined', channel: 'CH2' } },
    },
  ],
  [
    'typing',
    { method: 'notification', id: 'TM3', message_type: 'twilio.ipmsg.typing_indicator' },
    { channel_sid: 'CH1', identity: 'x', typing_timeout: 5 },
  ],
  [
    'client_update',
    { method: 'client_update', id: 'TM4', client_update_type: 'token_about_to_expire' },
    null,
  ],
  ['ping', { method: 'ping', id: 'TM5' }, null],
  [
    'reply',
    {
      method: 'reply',
      id: 'TM6',
      status: { code: 200, status: 'OK' },
      http_status: { code: 200, status: 'OK' },
      http_headers: { a: 'b' },
    },
    { sid: 'x' },
  ],
  ['message', { method: 'message', id: 'TM7', http_request: { host: 'x', path: '/', method: 'GET' } }, {}],
];

/** Frames that Twilio's Twilsock would never send. */
export function twilioFrames(): HostileFrame[] {
  const { bytes: valid } = twilsock('', { method: 'ping', id: 'TM1' });
  const raw = (name: string, bytes: string): HostileFrame => ({
    name,
    as: 'binary',
    bytes: Buffer.from(bytes),
  });
  const nested = '['.repeat(DEEP) + ']'.repeat(DEEP);
  const withPayload = (
    name: string,
    header: Json,
    payload: string,
    type: Json = 'application/json',
    size: Json = Buffer.byteLength(payload),
  ): HostileFrame =>
    twilsock(name, { ...(header as Record<string, Json>), payload_size: size, payload_type: type }, payload);
  return [
    ...noiseOf(valid, 'binary'),
    ...['', '-1', '0', '1e9', '99999999999999999999', 'x', ' 5', '4 4'].map((length) =>
      raw(`a header of ${length} bytes`, `${PREFIX}${length}\r\n{"method":"ping","id":"TM1"}\r\n`),
    ),
    raw('another version', 'TWILSOCK V9.9 28\r\n{"method":"ping","id":"TM1"}\r\n'),
    raw('no line ends', `${PREFIX}28{"method":"ping","id":"TM1"}`),
    ...WRONG.map((header) => twilsock(`the header ${JSON.stringify(header).slice(0, 20)}`, header)),
    ...[null, 1, '', 'x', [], {}, 'constructor', '__proto__'].map((method) =>
      twilsock(`the method ${JSON.stringify(method)}`, { method, id: 'TM1' }),
    ),
    ...FRAMES.flatMap(([name, header, payload]) => [
      ...[...variantsOf(header)].map(([field, changed]) =>
        payload === null
          ? twilsock(`${name}${field}`, changed)
          : withPayload(`${name}${field}`, changed, JSON.stringify(payload)),
      ),
      ...[...variantsOf(payload)].map(([field, changed]) =>
        withPayload(`${name} payload${field}`, header, JSON.stringify(changed)),
      ),
      withPayload(`${name} with half JSON`, header, '{"a":'),
      withPayload(`${name} with 100 kB`, header, JSON.stringify('x'.repeat(100_000))),
    ]),
    // The supervisor starts the connector again after these, each time later.
    withPayload('notification with deep nesting', NOTIFICATION, nested),
    withPayload('notification with null', NOTIFICATION, 'null'),
    raw('five megabytes', 'x'.repeat(5 * 2 ** 20)),
  ];
}
