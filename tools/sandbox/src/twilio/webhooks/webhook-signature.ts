import { createHash, createHmac } from 'node:crypto';

/** A signed HTTP request. */
export interface SignedWebhook {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Writes and signs a webhook as Twilio does ("Webhooks security").
 *
 * A form is signed over the URL and each name and value in the order of the names. JSON is signed over the URL alone,
 * which carries the body's hash as `bodySHA256`.
 */
export function signWebhook(
  url: string,
  fields: Readonly<Record<string, string>>,
  format: 'form' | 'json',
  authToken: string,
): SignedWebhook {
  const sign = (text: string): string => createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
  if (format === 'json') {
    const body = JSON.stringify(fields);
    const signed = new URL(url);
    signed.searchParams.set('bodySHA256', createHash('sha256').update(body).digest('hex'));
    return {
      url: signed.href,
      headers: { 'content-type': 'application/json', 'x-twilio-signature': sign(signed.href) },
      body,
    };
  }
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-twilio-signature': sign(url + sorted.map(([name, value]) => name + value).join('')),
    },
    body: new URLSearchParams(sorted).toString(),
  };
}
