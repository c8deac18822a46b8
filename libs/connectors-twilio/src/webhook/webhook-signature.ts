import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import { type Form } from './webhook-form.js';

/** A base64 SHA-1: anything else is no signature, whatever stands in the body. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;

/** Whether the text in the header `X-Twilio-Signature` can be a signature at all. */
export function looksSigned(signature: string): boolean {
  return signature.length === 28 && SIGNATURE.test(signature);
}

/**
 * Whether Twilio has signed a form (security page: HMAC-SHA1 of the URL and, sorted by name, each name with its values).
 *
 * Accepts what `validateRequest` of the `twilio` package accepts. That function sorts and copies all parameters again for
 * each of six spellings of the URL; here it is done once, because the sender may be anybody.
 */
export function isSignedForm(authToken: string, signature: string, url: string, form: Form): boolean {
  return isSigned(authToken, signature, url, Buffer.from(toSignedText(form), 'utf8'));
}

/** Whether Twilio has signed JSON: the URL is signed, and its parameter `bodySHA256` is the hash of the raw body. */
export function isSignedJson(authToken: string, signature: string, url: string, body: Buffer): boolean {
  const hash = URL.canParse(url) ? new URL(url).searchParams.get('bodySHA256') : null;
  if (hash === null || !isSigned(authToken, signature, url, Buffer.alloc(0))) return false;
  return isEqual(hash, createHash('sha256').update(body).digest('hex'));
}

function isSigned(authToken: string, signature: string, url: string, parameters: Buffer): boolean {
  return spellingsOf(url).some((spelling) => {
    const expected = createHmac('sha1', authToken).update(spelling, 'utf8').update(parameters);
    return isEqual(signature, expected.digest('base64'));
  });
}

/** A repeated name stands before each of its values; equal values count once. */
function toSignedText(form: Form): string {
  return [...form.keys()]
    .sort()
    .map((name) =>
      [...new Set(form.get(name))]
        .sort()
        .map((value) => name + value)
        .join(''),
    )
    .join('');
}

/**
 * The spellings of a URL that Twilio may have signed: with and without its port, as it came and as `URL` normalises it,
 * and that with its query as Node's `querystring` escapes it.
 */
function spellingsOf(url: string): string[] {
  const spellings = [withoutPort(url), withPort(url)];
  if (URL.canParse(url)) {
    const normalised = new URL(url).toString();
    const bare = withoutPort(normalised);
    const full = withPort(normalised);
    spellings.push(bare, full, withLegacyQuery(bare), withLegacyQuery(full));
  }
  return [...new Set(spellings)];
}

function withoutPort(url: string): string {
  return url.replace(AUTHORITY, (_, scheme: string, user: string | undefined, host: string) => {
    return scheme + (user ?? '') + host;
  });
}

function withPort(url: string): string {
  return url.replace(AUTHORITY, (whole, scheme: string, user: string | undefined, host: string, port) => {
    if (port !== undefined) return whole;
    return scheme + (user ?? '') + host + (scheme.toLowerCase() === 'https://' ? ':443' : ':80');
  });
}

/** Scheme, user, host (IPv6 in brackets), and the port with its colon. */
const AUTHORITY = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?(\[[^/?#\]]*\]|[^/?#:@]*)(:[^/?#]*)?/i;

function withLegacyQuery(url: string): string {
  const start = url.indexOf('?');
  if (start === -1 || start === url.length - 1) return url;
  return `${url.slice(0, start)}?${stringify(parse(url.slice(start + 1)))}`;
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
