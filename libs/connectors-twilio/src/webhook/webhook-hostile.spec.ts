import { createHash, createHmac } from 'node:crypto';
import { type WebhookRequest } from '@bitbrat/connectors-core';
import fc from 'fast-check';
import { validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js';
import { judgeWebhook, MAX_BODY_BYTES } from './webhook.js';
import { MAX_FORM_FIELDS, parseForm } from './webhook-form.js';
import { MAX_JSON_DEPTH, MAX_JSON_ITEMS, parseJsonObject } from './webhook-json.js';
import { isSignedForm, isSignedJson } from './webhook-signature.js';

const TOKEN = 'example-auth-token';
const URL_AT_TWILIO = 'https://bot.example/webhooks/twilio';
const settings = { authToken: TOKEN, webhookUrl: URL_AT_TWILIO, chatServiceSid: `IS${'0'.repeat(32)}` };
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** Milliseconds of CPU for a body of 1 MiB. The work takes a tenth of it on an idle machine. */
const CPU_LIMIT_MS = 50;

const sign = (text: string): string => createHmac('sha1', TOKEN).update(text, 'utf8').digest('base64');

/**
 * The fields of a form by Node's own parser, which wants two favours: it takes a question mark at the start for no part
 * of the first name, and reads bytes above 0x7f wrongly beside percent signs (Node 20) unless they are percent-encoded.
 */
function fieldsByNode(body: Buffer): URLSearchParams {
  const encode = (byte: string): string => `%${byte.charCodeAt(0).toString(16)}`;
  return new URLSearchParams(`?${body.toString('latin1').replace(/[\x80-\xff]/g, encode)}`);
}

/** The signature of the documented algorithm. */
function signForm(url: string, body: Buffer): string {
  const form = fieldsByNode(body);
  const byName = new Map<string, Set<string>>();
  for (const [name, value] of form) byName.set(name, (byName.get(name) ?? new Set()).add(value));
  const text = [...byName.keys()]
    .sort()
    .map((name) => [...(byName.get(name) ?? [])].sort().map((value) => name + value));
  return sign(url + text.flat().join(''));
}

function request(contentType: string | undefined, body: string, isSigned: boolean): WebhookRequest {
  const isJson = contentType?.startsWith(JSON_TYPE) === true;
  const query = isJson ? `?bodySHA256=${createHash('sha256').update(body).digest('hex')}` : '';
  const signature = isJson ? sign(URL_AT_TWILIO + query) : signForm(URL_AT_TWILIO, Buffer.from(body));
  return {
    method: 'POST',
    path: `/webhooks/twilio${query}`,
    headers: {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      'x-twilio-signature': isSigned ? signature : sign('another text'),
    },
    rawBody: Buffer.from(body),
  };
}

/** The least CPU of several calls: what else the machine does only adds to it. */
function cpuMs(work: () => unknown): number {
  const runs = Array.from({ length: 5 }, () => {
    const start = process.cpuUsage();
    work();
    const { system, user } = process.cpuUsage(start);
    return (system + user) / 1_000;
  });
  return Math.min(...runs);
}

const names = (bytes: number, name: (i: number) => string): string =>
  Array.from({ length: Math.floor(bytes / 26) }, (_, i) => name(i).padEnd(25, 'x')).join('&');
const members = (bytes: number, name: (i: number) => string): string =>
  `{${Array.from({ length: Math.floor(bytes / 26) }, (_, i) => `"${name(i).padEnd(21, 'x')}":1`).join()}}`;
const repeat = (bytes: number, text: string): string =>
  text.repeat(Math.floor(bytes / Buffer.byteLength(text)));

const SHAPES: readonly (readonly [string, string | undefined, (bytes: number) => string])[] = [
  ['distinct names', FORM, (bytes) => names(bytes, (i) => `n${i}`)],
  ['one name', FORM, (bytes) => names(bytes, () => 'name=')],
  ['names of a prototype', FORM, (bytes) => repeat(bytes, '__proto__=1&constructor=2&toString=3&')],
  ['arrays', FORM, (bytes) => repeat(bytes, 'a[]=1&a[b][c]=2&')],
  ['names with a long common start', FORM, (bytes) => names(bytes, (i) => `${'p'.repeat(15)}${i}=`)],
  [
    'names as many and as long as allowed',
    FORM,
    (bytes) => {
      const length = Math.floor(bytes / MAX_FORM_FIELDS) - 10;
      return Array.from({ length: MAX_FORM_FIELDS }, (_, i) => `${'p'.repeat(length)}${i}`)
        .reverse()
        .join('&');
    },
  ],
  ['percent signs', FORM, (bytes) => repeat(bytes, '%')],
  ['percent-encoded bytes', FORM, (bytes) => repeat(bytes, '%41')],
  ['percent-encoded bytes that are no text', FORM, (bytes) => repeat(bytes, '%FF')],
  ['plus signs', FORM, (bytes) => repeat(bytes, '+')],
  ['ampersands', FORM, (bytes) => repeat(bytes, '&')],
  ['equal signs', FORM, (bytes) => repeat(bytes, '=')],
  ['multi-byte characters', FORM, (bytes) => repeat(bytes, '👋')],
  ['another charset', `${FORM}; charset=utf-16le`, (bytes) => repeat(bytes, 'a\0=\0')],
  ['JSON as a form', FORM, (bytes) => members(bytes, (i) => `n${i}`)],
  ['deep arrays', JSON_TYPE, (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2)],
  ['deep objects', JSON_TYPE, (bytes) => repeat(bytes, '{"a":')],
  ['a wide object', JSON_TYPE, (bytes) => members(bytes, (i) => `n${i}`)],
  ['duplicate members', JSON_TYPE, (bytes) => members(bytes, () => 'EventType')],
  ['a wide array', JSON_TYPE, (bytes) => `[${repeat(bytes, '0,')}0]`],
  ['one long string', JSON_TYPE, (bytes) => `{"Body":"${repeat(bytes - 11, 'x')}"}`],
  ['escapes', JSON_TYPE, (bytes) => `{"EventType":"${repeat(bytes - 20, '\\u0041')}"}`],
  ['digits', JSON_TYPE, (bytes) => `{"ErrorCode":${repeat(bytes - 20, '9')}}`],
  ['spaces', JSON_TYPE, (bytes) => repeat(bytes, ' ')],
  ['quotes without end', JSON_TYPE, (bytes) => repeat(bytes, '"\\')],
  ['another charset of JSON', `${JSON_TYPE}; charset=utf-7`, (bytes) => repeat(bytes, '+ACI-')],
  ['no content type', undefined, (bytes) => names(bytes, (i) => `n${i}`)],
  ['a multipart form', 'multipart/form-data; boundary=x', (bytes) => repeat(bytes, '--x\r\n')],
  ['a long content type', repeat(1 << 16, `${FORM};`), (bytes) => repeat(bytes, 'a=1&')],
];

describe.each([
  ['unsigned', false],
  ['signed', true],
])('a webhook with a body of 1 MiB, %s', (_, isSigned) => {
  it.each(SHAPES)('of %s is answered within its CPU time', (_shape, contentType, body) => {
    const half = request(contentType, body(MAX_BODY_BYTES / 2), isSigned);
    const whole = request(contentType, body(MAX_BODY_BYTES), isSigned);
    expect(whole.rawBody.byteLength).toBeGreaterThan(MAX_BODY_BYTES * 0.9);
    const answer = judgeWebhook(whole, settings);
    expect(answer).toMatchObject({ kind: 'refuse' });
    const halfMs = cpuMs(() => judgeWebhook(half, settings));
    const wholeMs = cpuMs(() => judgeWebhook(whole, settings));
    expect(wholeMs).toBeLessThan(CPU_LIMIT_MS);
    // Below some milliseconds the clock and the collector are louder than the work.
    expect(wholeMs).toBeLessThan(3 * Math.max(halfMs, 4));
  });
});

it('refuses a larger body before it looks at it', () => {
  const large = { ...request(FORM, 'a=1', true), rawBody: Buffer.alloc(MAX_BODY_BYTES + 1) };
  expect(judgeWebhook(large, settings)).toMatchObject({ kind: 'refuse', status: 413 });
});

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const formText = fc.oneof(
  fc
    .array(fc.tuple(anyText, anyText), { maxLength: 12 })
    .map((fields) => new URLSearchParams(fields).toString()),
  fc.string({ unit: fc.constantFrom('a', 'b', '&', '=', '+', '%', '4', '1', 'f', 'F', '€', '[', ']', '\0') }),
  anyText,
  anyText.map((text) => `?${text}`),
);
const urls = fc.oneof(
  fc.webUrl({ withQueryParameters: true, validSchemes: ['http', 'https'] }),
  fc.tuple(fc.constantFrom('https://', 'HTTP://', 'ftp://', ''), anyText).map((parts) => parts.join('')),
  fc
    .tuple(
      fc.constantFrom('https://', 'http://u:p@', 'https://u@'),
      fc.constantFrom('bot.example', '[::1]', '127.0.0.1', 'BOT.example'),
      fc.constantFrom('', ':443', ':80', ':8443'),
      fc.constantFrom('', '/', "/a'b", '/ä/%41'),
      fc.constantFrom('', '?', '?a=1&a=2', "?x='y z'&b=%20", '?bodySHA256=00'),
    )
    .map((parts) => parts.join('')),
);

describe('parseForm', () => {
  it('reads what URLSearchParams reads', () => {
    fc.assert(
      fc.property(formText, (text) => {
        const body = Buffer.from(text);
        const expected = [...fieldsByNode(body)];
        const found = [...(parseForm(body) ?? [])].flatMap(([name, values]) => values.map((v) => [name, v]));
        const byName = (fields: readonly (readonly string[])[]): string[] =>
          fields.map((field) => JSON.stringify(field)).sort();
        expect(byName(found)).toEqual(byName(expected));
      }),
    );
  });

  it('refuses more fields than its bound', () => {
    expect(parseForm(Buffer.from('a&'.repeat(MAX_FORM_FIELDS - 1)))).toBeDefined();
    expect(parseForm(Buffer.from('a&'.repeat(MAX_FORM_FIELDS)))).toBeUndefined();
  });
});

describe('parseJsonObject', () => {
  it('reads what JSON.parse reads, within its bounds', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const json: unknown = JSON.parse(text);
        const isObject = typeof json === 'object' && json !== null;
        expect(parseJsonObject(Buffer.from(text))).toEqual(isObject ? { ...json } : undefined);
      }),
    );
  });

  it('never throws and refuses what is deeper or wider than its bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => parseJsonObject(Buffer.from(bytes))).not.toThrow();
      }),
    );
    const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(parseJsonObject(nested(MAX_JSON_DEPTH))).toBeDefined();
    expect(parseJsonObject(nested(MAX_JSON_DEPTH + 1))).toBeUndefined();
    expect(parseJsonObject(Buffer.from(`[${'0,'.repeat(MAX_JSON_ITEMS)}0]`))).toBeUndefined();
  });
});

describe('signatures', () => {
  it('of forms are accepted exactly where the vendor accepts them', () => {
    fc.assert(
      fc.property(formText, urls, urls, fc.boolean(), (text, url, otherUrl, isSame) => {
        const body = Buffer.from(text);
        const form = parseForm(body) ?? new Map<string, string[]>();
        const params = Object.fromEntries([...form].map(([name, values]) => [name, [...values]]));
        const signature = signForm(isSame ? url : otherUrl, body);
        const expected = vendorSays(() => validateRequest(TOKEN, signature, url, params));
        expect(isSignedForm(TOKEN, signature, url, form)).toBe(expected);
      }),
    );
  });

  it('of JSON are accepted exactly where the vendor accepts them', () => {
    fc.assert(
      fc.property(fc.json(), urls, fc.boolean(), fc.boolean(), (text, base, isSame, hasHash) => {
        const hash = createHash('sha256').update(text).digest('hex');
        const url = hasHash ? `${base}${base.includes('?') ? '&' : '?'}bodySHA256=${hash}` : base;
        const signature = sign(isSame ? url : base);
        const expected = vendorSays(() => validateRequestWithBody(TOKEN, signature, url, text));
        expect(isSignedJson(TOKEN, signature, url, Buffer.from(text))).toBe(expected);
      }),
    );
  });

  it('of any text are refused without an exception', () => {
    fc.assert(
      fc.property(anyText, anyText, urls, (signature, text, url) => {
        expect(isSignedForm(TOKEN, signature, url, new Map([[text, [text]]]))).toBe(false);
        expect(isSignedJson(TOKEN, signature, url, Buffer.from(text))).toBe(false);
      }),
    );
  });
});

describe('judgeWebhook', () => {
  it('has a verdict for every request', () => {
    const values = fc.oneof(
      anyText,
      fc.constantFrom('onMessageAdded', 'onDeliveryUpdated', 'delivered', '63016'),
    );
    const field = fc.tuple(
      fc.constantFrom(
        'EventType',
        'ConversationSid',
        'MessageSid',
        'Status',
        'ErrorCode',
        'DateUpdated',
        '__proto__',
      ),
      values,
    );
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        (fields, isJson, isSigned) => {
          const body = isJson
            ? JSON.stringify(Object.fromEntries(fields))
            : new URLSearchParams(fields).toString();
          const verdict = judgeWebhook(request(isJson ? JSON_TYPE : FORM, body, isSigned), settings);
          if (!isSigned) expect(verdict).toMatchObject({ kind: 'refuse', status: 403 });
          expect(['wake', 'delivery', 'ignore', 'refuse']).toContain(verdict.kind);
        },
      ),
    );
  });
});

/** The vendor's validators throw on URLs that they cannot read; that is not signed either. */
function vendorSays(validate: () => boolean): boolean {
  try {
    return validate();
  } catch {
    return false;
  }
}
