import type AccessToken from 'twilio/lib/jwt/AccessToken.js';
import { type TwilioConfig } from './config.js';

/** An access token and the end of its life, in milliseconds since 1970. */
export interface MintedToken {
  readonly jwt: string;
  readonly expiresAt: number;
}

type TokenSettings = Pick<
  TwilioConfig,
  'accountSid' | 'apiKey' | 'apiSecret' | 'chatServiceSid' | 'identity' | 'tokenTtlSeconds'
>;

/** Makes access tokens for the Conversations SDK: a JWT with a ChatGrant, signed with the API key's secret. Never logs one. */
export class TwilioTokenProvider {
  readonly #settings: TokenSettings;
  readonly #AccessToken: typeof AccessToken;
  #lastSecond = 0;
  #mintedInSecond = 0;

  private constructor(settings: TokenSettings, Token: typeof AccessToken) {
    this.#settings = settings;
    this.#AccessToken = Token;
  }

  /** Loads Twilio's JWT module. */
  static async load(settings: TokenSettings): Promise<TwilioTokenProvider> {
    const sdk = await import('./sdk.js');
    return new TwilioTokenProvider(settings, sdk.AccessToken);
  }

  /** Seconds that a token lives. */
  get ttlSeconds(): number {
    return this.#settings.tokenTtlSeconds;
  }

  /**
   * A token that no earlier call has returned: the SDK takes a string that it has seen for no change at all.
   *
   * Two tokens of one second differ in their life, each a second shorter than the one before.
   */
  mint(): MintedToken {
    const { accountSid, apiKey, apiSecret, chatServiceSid, identity, tokenTtlSeconds } = this.#settings;
    // The JWT module stamps tokens with the machine's clock, so the count of a second must follow the same clock.
    const second = Math.floor(Date.now() / 1000);
    this.#mintedInSecond = second === this.#lastSecond ? this.#mintedInSecond + 1 : 0;
    this.#lastSecond = second;
    const ttl = Math.max(1, tokenTtlSeconds - this.#mintedInSecond);
    const token = new this.#AccessToken(accountSid, apiKey, apiSecret, { identity, ttl });
    token.addGrant(new this.#AccessToken.ChatGrant({ serviceSid: chatServiceSid }));
    return { jwt: token.toJwt(), expiresAt: (second + ttl) * 1000 };
  }
}
