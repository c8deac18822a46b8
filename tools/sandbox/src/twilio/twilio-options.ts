/** How the local Twilio is set up. Everything has a default, see `twilioDefaults`. */
export interface TwilioSandboxOptions {
  readonly accountSid: string;
  /** Signs the webhooks and, with the account SID, opens the REST interface. */
  readonly authToken: string;
  readonly apiKey: string;
  /** Access tokens must be signed with it (HS256). */
  readonly apiSecret: string;
  readonly chatServiceSid: string;
  /** The bot's identity; `environment()` hands it out as TWILIO_IDENTITY. */
  readonly identity: string;
  /** The Twilio number that people write to, E.164. WhatsApp uses the same number. */
  readonly number: string;
  /** Where signed webhooks go. None are sent while it is undefined. */
  readonly webhookUrl: string | undefined;
  /** `form` is what Twilio sends unless told otherwise; `json` is signed by `bodySHA256`. */
  readonly webhookFormat: 'form' | 'json';
  /** The events that are sent, by Twilio's names. */
  readonly webhookEvents: readonly string[];
  /** Milliseconds to wait for an answer; 5,000 as on Twilio's page "Conversations webhooks". */
  readonly webhookTimeoutMs: number;
  /** Repeats after a 5xx, a time-out or a refused connection; 1 as on Twilio's page "Webhooks connection overrides". */
  readonly webhookRetries: number;
  /** Milliseconds before a token's end at which its owner is warned; shortened to a quarter of a short token's life. */
  readonly tokenWarningMs: number;
  /** Milliseconds between the server's `ping` frames. */
  readonly pingIntervalMs: number;
  /** Active and inactive conversations that an identity may be in; 1,000 as on Twilio's page "Conversations limits". */
  readonly conversationLimit: number;
  /** The code of a refusal to an identity that is not in a conversation. Twilio is seen to answer with either. */
  readonly notParticipantCode: 50400 | 50430;
  /** Milliseconds by which Twilio's clock is ahead of this machine's; see also `setClockOffset`. */
  readonly clockOffsetMs: number;
  /** Milliseconds for which a temporary media URL works. */
  readonly mediaUrlTtlMs: number;
  /** Messages kept per conversation, and events per Sync object; the oldest go first, and nobody is told. */
  readonly historyLimit: number;
  /** Seed of the random numbers behind faults with a `probability`. */
  readonly seed: number;
}

/** Credentials that nobody can take for real ones. */
export const twilioDefaults: TwilioSandboxOptions = {
  accountSid: 'AC0123456789abcdef0123456789abcdef',
  authToken: 'sandbox-auth-token',
  apiKey: 'SK0123456789abcdef0123456789abcdef',
  apiSecret: 'sandbox-api-secret',
  chatServiceSid: 'IS0123456789abcdef0123456789abcdef',
  identity: 'bitbrat',
  number: '+15550199',
  webhookUrl: undefined,
  webhookFormat: 'form',
  webhookEvents: ['onConversationAdded', 'onMessageAdded', 'onDeliveryUpdated'],
  webhookTimeoutMs: 5_000,
  webhookRetries: 1,
  tokenWarningMs: 60_000,
  pingIntervalMs: 30_000,
  conversationLimit: 1_000,
  notParticipantCode: 50430,
  clockOffsetMs: 0,
  mediaUrlTtlMs: 300_000,
  historyLimit: 100_000,
  seed: 1,
};
