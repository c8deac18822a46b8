import { createHmac } from 'node:crypto';
import { type TwilioConfig } from '../config.js';

/** Seconds: a token that ends later than 24 hours ahead is refused (error 20104), and two clocks are never the same. */
const MAX_TTL_SECONDS = 86_400 - 60;

/** Seconds by which a token is dated back: the platform's time is known to a second or so, and the future is refused (20105). */
const BACKDATE_SECONDS = 2;

/** An access token and the end of its life, in milliseconds since 1970 by the platform's clock. */
export interface MintedToken {
  readonly jwt: string;
  readonly expiresAt: number;
}

type TokenSettings = Pick<
  TwilioConfig,
  'accountSid' | 'apiKey' | 'apiSecret' | 'chatServiceSid' | 'identity' | 'tokenTtlSeconds'
>;

/**
 * Makes access tokens for the Conversations SDK: a JWT with a ChatGrant, signed with the API key's secret. Never logs one.
 *
 * The claims are those of `AccessToken` in the `twilio` package, which can date a token by this machine's clock only.
 */
export class TwilioTokenProvider {
  readonly #settings: TokenSettings;
  readonly #now: () => number;
  #lastSecond = 0;
  #mintedInSecond = 0;

  /** @param now the platform's time, in milliseconds since 1970 */
  constructor(settings: TokenSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Seconds that a token lives. */
  get ttlSeconds(): number {
    return Math.min(this.#settings.tokenTtlSeconds, MAX_TTL_SECONDS);
  }

  /**
   * A token that no earlier call has returned: the SDK takes a string that it has seen for no change at all.
   *
   * Two tokens of one second differ in their life, each a second shorter than the one before.
   */
  mint(): MintedToken {
    const { accountSid, apiKey, apiSecret, chatServiceSid, identity } = this.#settings;
    const second = Math.floor(this.#now() / 1000);
    this.#mintedInSecond = second === this.#lastSecond ? this.#mintedInSecond + 1 : 0;
    this.#lastSecond = second;
    const issuedAt = second - BACKDATE_SECONDS;
    const expiresAt = issuedAt + Math.max(1, this.ttlSeconds - this.#mintedInSecond);
    const header = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' };
    const claims = {
      jti: `${apiKey}-${issuedAt}`,
      grants: { identity, chat: { service_sid: chatServiceSid } },
      iat: issuedAt,
      exp: expiresAt,
      iss: apiKey,
      sub: accountSid,
    };
    const text = `${encode(header)}.${encode(claims)}`;
    const signature = createHmac('sha256', apiSecret).update(text).digest('base64url');
    return { jwt: `${text}.${signature}`, expiresAt: expiresAt * 1000 };
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
