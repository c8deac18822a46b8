import { fault, type Finding, ok, warning } from '@bitbrat/connectors-core';
import { type TwilioConfig } from '../config.js';
import { propertyOf } from '../platform/property.js';

/** Hosts that only this machine or its network can reach. */
const PRIVATE_HOST =
  /^(?:localhost|.+\.local|.+\.internal|127\.[\d.]+|10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|169\.254\.[\d.]+|\[::1\]|\[f[cd][^\]]*\])$/i;

/** Whether Twilio could use the address at all. Pure. */
export function judgeWebhookAddress({
  restUrl,
  sweepSeconds,
  webhookUrl,
}: Pick<TwilioConfig, 'restUrl' | 'sweepSeconds' | 'webhookUrl'>): Finding {
  if (webhookUrl === undefined) {
    return warning(
      `TWILIO_WEBHOOK_URL is not set: new conversations are found within about ${sweepSeconds} seconds, not at once`,
      'set it to the public https URL of /webhooks/twilio, exactly as it stands in the Twilio console',
    );
  }
  const shown = shownUrl(webhookUrl);
  const { hostname, protocol } = new URL(webhookUrl);
  if (PRIVATE_HOST.test(hostname)) {
    // A stand-in for Twilio on this machine reaches what is on this machine.
    if (PRIVATE_HOST.test(new URL(restUrl).hostname)) return ok(`${shown}, for a local stand-in of Twilio`);
    return fault(
      `${shown} is an address that Twilio cannot reach`,
      'set TWILIO_WEBHOOK_URL to the public https URL of the gateway',
    );
  }
  if (protocol === 'https:') return ok(shown);
  return warning(
    `${shown} is not encrypted: texts and phone numbers travel in the clear`,
    'use https in TWILIO_WEBHOOK_URL and in the Twilio console',
  );
}

/** Of an event that nothing follows from: the gateway answers that it ignores it. */
const EVENT_TYPE = 'onDoctor';

/**
 * Sends a signed event, from which nothing follows, to the webhook's public address, as Twilio would.
 *
 * The right answer proves address, path, proxy and signature.
 * @throws what `fetch` throws, where nothing answers for another reason than that nothing listens
 */
export async function testWebhook(
  {
    accountSid,
    authToken,
    chatServiceSid,
    webhookUrl,
  }: Pick<TwilioConfig, 'accountSid' | 'authToken' | 'chatServiceSid'> & { readonly webhookUrl: string },
  signal: AbortSignal,
): Promise<Finding> {
  const { getExpectedTwilioSignature } = await import('../session/sdk.js');
  const event = { AccountSid: accountSid, ChatServiceSid: chatServiceSid, EventType: EVENT_TYPE };
  let response: Response;
  try {
    response = await fetch(webhookUrl, {
      method: 'POST',
      headers: { 'x-twilio-signature': getExpectedTwilioSignature(authToken, webhookUrl, event) },
      body: new URLSearchParams(event),
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return judgeNoAnswer(webhookUrl, systemCodeOf(error));
  }
  const text = await response.text();
  return judgeWebhookAnswer(webhookUrl, response.status, text.trim());
}

/** What an answer to the self-test says. Pure. */
export function judgeWebhookAnswer(webhookUrl: string, status: number, text: string): Finding {
  const shown = shownUrl(webhookUrl);
  const found = `${shown} answers ${status}`;
  if (status === 200 && text === 'ignored') return ok(`${shown} takes a signed event`);
  if (status === 403) {
    return fault(
      `${found}: the signature is refused`,
      'give the running gateway the same TWILIO_AUTH_TOKEN and TWILIO_WEBHOOK_URL as here, and see that no proxy changes the query',
    );
  }
  if (status === 404) {
    return fault(
      found,
      'check the path, /webhooks/twilio unless a proxy maps another, and that the gateway runs with TWILIO_ENABLED=true and TWILIO_WEBHOOK_URL',
    );
  }
  if (status >= 300 && status < 400) {
    return fault(`${found}, a redirect`, 'set TWILIO_WEBHOOK_URL to the address at the end of the redirect');
  }
  if (status === 502 || status === 503 || status === 504) {
    return warning(
      `${found}: nothing runs behind it`,
      'start the gateway, then run this again to try the signature',
    );
  }
  return fault(
    `${found}, otherwise than the gateway does`,
    'check that TWILIO_WEBHOOK_URL leads to the gateway, not to another program',
  );
}

function judgeNoAnswer(webhookUrl: string, code: string): Finding {
  const shown = shownUrl(webhookUrl);
  if (code === 'ECONNREFUSED') {
    return warning(
      `nothing listens at ${shown}`,
      'start the gateway, then run this again to try the signature',
    );
  }
  return fault(
    `${shown} cannot be reached from here: ${code}`,
    'check the host name, its DNS entry, its certificate and the firewall',
  );
}

/** Without the query, which may hold a secret. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** `fetch` says `fetch failed`; what failed stands in the cause. */
function systemCodeOf(error: unknown): string {
  const code = propertyOf(propertyOf(error, 'cause'), 'code');
  return typeof code === 'string' ? code : String(error);
}
