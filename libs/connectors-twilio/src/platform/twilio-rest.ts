import { ConnectorError, toRetryAfterMs } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { z } from 'zod';
import { type TwilioConfig } from '../config.js';
import { nativeFactsOf, toTwilioError } from './errors.js';
import { type Phone } from './native-opt-out.js';
import { PlatformClock } from './platform-clock.js';

/** Milliseconds for one request; a webhook has 5 seconds in all. */
const REQUEST_TIMEOUT_MS = 4_000;

/** Milliseconds for adding the bot, which no webhook waits for to the end. */
const JOIN_TIMEOUT_MS = 15_000;

/** Of a 409 to the bot's joining, the codes that say that it is in the conversation (error pages 50433 and 50437). */
const ALREADY_THERE: ReadonlySet<number | undefined> = new Set([50433, 50437]);

const messageSchema = z.object({
  sid: z.string(),
  index: z.int(),
  author: z.string().nullish(),
  attributes: z.string().nullish(),
  date_created: z.string().nullish(),
});
const participantSchema = z.object({
  messaging_binding: z
    .object({ address: z.string().nullish(), proxy_address: z.string().nullish() })
    .nullish(),
});
const metaSchema = z.object({ next_page_url: z.string().nullish() }).optional();
const messagePageSchema = z.object({ messages: z.array(messageSchema), meta: metaSchema });

const conversationSchema = z.object({
  sid: z.string(),
  state: z.string().nullish(),
  date_created: z.string().nullish(),
});
const conversationPageSchema = z.object({ conversations: z.array(conversationSchema), meta: metaSchema });

/** A message as the REST API lists it. */
export type RestMessage = z.infer<typeof messageSchema>;

/** A conversation as the REST API lists it. */
export type RestConversation = z.infer<typeof conversationSchema>;

type RestSettings = Pick<TwilioConfig, 'restUrl' | 'apiKey' | 'apiSecret' | 'chatServiceSid'>;

/**
 * The REST calls that the connector needs. They have none of the SDK's caches and work while the socket is down.
 *
 * Made with `fetch`: the REST client of the `twilio` package costs 22 MB, cannot be aborted and hides `Retry-After`.
 */
export class TwilioRest {
  readonly #settings: RestSettings;
  readonly #authorization: string;
  readonly #clock: Clock;
  /** The platform's clock, as its answers tell. */
  readonly time: PlatformClock;

  constructor(settings: RestSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.time = new PlatformClock(clock, () => this.#askForTime());
    this.#authorization = `Basic ${Buffer.from(`${settings.apiKey}:${settings.apiSecret}`).toString('base64')}`;
  }

  /**
   * Adds a chat identity to a conversation; being there already is success.
   * @returns whether it was not there before
   * @throws ConnectorError
   */
  async addParticipant(conversationSid: string, identity: string, signal?: AbortSignal): Promise<boolean> {
    const path = `${this.#conversation(conversationSid)}/Participants`;
    const doing = `add the bot to ${conversationSid}`;
    const body = new URLSearchParams({ Identity: identity });
    try {
      const response = await this.#request(path, { method: 'POST', body }, doing, signal, JOIN_TIMEOUT_MS);
      await response.body?.cancel();
      return true;
    } catch (error) {
      const { code, status } = nativeFactsOf(error instanceof ConnectorError ? error.cause : error);
      if (status !== 409 || !ALREADY_THERE.has(code)) throw error;
      return false;
    }
  }

  /** The newest messages first, 100 a page, until the consumer stops. @throws ConnectorError */
  async *newestMessages(conversationSid: string, signal?: AbortSignal): AsyncGenerator<RestMessage> {
    const doing = `look for sent messages in ${conversationSid}`;
    const path = `${this.#conversation(conversationSid)}/Messages?Order=desc&PageSize=100`;
    for await (const { messages } of this.#pages(path, messagePageSchema, doing, signal)) yield* messages;
  }

  /** A participant's phone; undefined for one that has none. @throws ConnectorError TARGET_NOT_FOUND and others */
  async phone(
    conversationSid: string,
    participantSid: string,
    signal?: AbortSignal,
  ): Promise<Phone | undefined> {
    const path = `${this.#conversation(conversationSid)}/Participants/${encodeURIComponent(participantSid)}`;
    const { messaging_binding: binding } = await this.#json(
      path,
      participantSchema,
      `find ${participantSid}`,
      signal,
    );
    const { address, proxy_address: proxyAddress } = binding ?? {};
    if (!address) return undefined;
    return { address, participantSid, ...(proxyAddress ? { proxyAddress } : {}) };
  }

  /** One message. @throws ConnectorError TARGET_NOT_FOUND and others */
  message(conversationSid: string, messageSid: string, signal?: AbortSignal): Promise<RestMessage> {
    const path = `${this.#conversation(conversationSid)}/Messages/${encodeURIComponent(messageSid)}`;
    return this.#json(path, messageSchema, `find ${messageSid}`, signal);
  }

  /**
   * The service's conversations, 100 a page, until the consumer stops.
   *
   * The REST reference wants the start of a day in UTC, so older ones of that day come along, and says that this filter sorts by creation, the
   * newest first.
   * @param since milliseconds since 1970
   * @throws ConnectorError
   */
  async *conversationsSince(since: number, signal?: AbortSignal): AsyncGenerator<RestConversation[]> {
    const startDate = `${new Date(since).toISOString().slice(0, 10)}T00:00:00Z`;
    const path = `/v1/Services/${this.#settings.chatServiceSid}/Conversations?StartDate=${startDate}&PageSize=100`;
    const pages = this.#pages(path, conversationPageSchema, 'list the conversations', signal);
    for await (const { conversations } of pages) yield conversations;
  }

  async *#pages<T extends { meta?: z.infer<typeof metaSchema> }>(
    first: string,
    schema: z.ZodType<T>,
    doing: string,
    signal?: AbortSignal,
  ): AsyncGenerator<T> {
    let path: string | undefined = first;
    while (path !== undefined) {
      const page: T = await this.#json(path, schema, doing, signal);
      yield page;
      const next = page.meta?.next_page_url;
      // Only path and query: the credentials go to the configured host, whatever the answer names.
      path = next ? next.replace(/^https?:\/\/[^/]+/, '') : undefined;
    }
  }

  async #json<T>(path: string, schema: z.ZodType<T>, doing: string, signal?: AbortSignal): Promise<T> {
    const response = await this.#request(path, {}, doing, signal);
    return response.json().then(
      (json) => schema.parse(json),
      (error: unknown) => Promise.reject(toTwilioError(error, doing)),
    );
  }

  #conversation(sid: string): string {
    return `/v1/Services/${this.#settings.chatServiceSid}/Conversations/${encodeURIComponent(sid)}`;
  }

  /** Any answer tells the time, a refusal included. */
  async #askForTime(): Promise<void> {
    const path = `/v1/Services/${this.#settings.chatServiceSid}`;
    const response = await this.#request(path, {}, 'ask for the time');
    await response.body?.cancel();
  }

  async #request(
    path: string,
    init: RequestInit,
    doing: string,
    signal?: AbortSignal,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<Response> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const askedAt = this.#clock.monotonic();
    let response: Response;
    try {
      response = await fetch(`${this.#settings.restUrl}${path}`, {
        ...init,
        headers: { authorization: this.#authorization, accept: 'application/json' },
        redirect: 'error',
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
    } catch (error) {
      throw toTwilioError(error, doing);
    }
    this.time.hear(response.headers.get('date'), askedAt);
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => undefined);
    throw toTwilioError(
      { status: response.status, message: response.statusText, body },
      doing,
      toRetryAfterMs(response.headers.get('retry-after')),
    );
  }
}
