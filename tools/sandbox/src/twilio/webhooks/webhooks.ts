import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultRules } from '../../fault-rules.js';
import { reasonOf } from '../../reason.js';
import { type ArmedFault } from '../fault-schema.js';
import { type WebhookEvent } from './webhook-events.js';
import { signWebhook } from './webhook-signature.js';

/** One try to deliver a webhook. */
export interface WebhookAttempt {
  /** HTTP status of the answer, or undefined when there was none. */
  readonly status: number | undefined;
  /** Why there was no answer. */
  readonly error: string | undefined;
  /** Milliseconds until the answer or the failure. */
  readonly tookMs: number;
}

/** A webhook and what became of it. */
export interface WebhookDelivery {
  readonly id: number;
  readonly event: string;
  readonly conversationSid: string;
  readonly messageSid: string | undefined;
  readonly url: string;
  readonly attempts: readonly WebhookAttempt[];
  /** `lost` = never sent, by a fault. */
  readonly outcome: 'pending' | 'delivered' | 'failed' | 'lost';
}

type MutableDelivery = { -readonly [K in keyof WebhookDelivery]: WebhookDelivery[K] } & {
  attempts: WebhookAttempt[];
};

/** How webhooks are sent. `url` and `format` may change while the sandbox runs. */
export interface WebhookSettings {
  url: string | undefined;
  format: 'form' | 'json';
  readonly authToken: string;
  readonly events: readonly string[];
  readonly timeoutMs: number;
  readonly retries: number;
}

/** Deliveries that are kept for reading. */
const KEPT = 10_000;

/** Sends signed webhooks, those of one conversation one after the other. */
export class WebhookSender {
  readonly #deliveries: MutableDelivery[] = [];
  readonly #queues = new Map<string, Promise<void>>();
  #lastId = 0;

  /** @param changed is called whenever a delivery has a new state. */
  constructor(
    readonly settings: WebhookSettings,
    private readonly faults: FaultRules<ArmedFault>,
    private readonly signal: AbortSignal,
    private readonly changed: () => void,
  ) {}

  /** What was sent, oldest first; the newest 10,000. */
  deliveries(): readonly WebhookDelivery[] {
    return this.#deliveries;
  }

  /** Queues an event. Without a URL, or for an event that is not asked for, nothing happens. */
  send(event: WebhookEvent): void {
    const { url, events } = this.settings;
    if (url === undefined || !events.includes(event.event)) return;
    this.#lastId += 1;
    const delivery: MutableDelivery = {
      id: this.#lastId,
      event: event.event,
      conversationSid: event.conversationSid,
      messageSid: event.messageSid,
      url,
      attempts: [],
      outcome: 'pending',
    };
    this.#deliveries.push(delivery);
    if (this.#deliveries.length > KEPT) this.#deliveries.shift();
    const before = this.#queues.get(event.conversationSid) ?? Promise.resolve();
    const queued = before
      .then(() => this.#deliver(delivery, event))
      .then(() => {
        if (this.#queues.get(event.conversationSid) === queued) this.#queues.delete(event.conversationSid);
      });
    this.#queues.set(event.conversationSid, queued);
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#queues.size > 0) await Promise.all(this.#queues.values());
  }

  async #deliver(delivery: MutableDelivery, event: WebhookEvent): Promise<void> {
    const fault = this.faults.strike(
      'webhook',
      (rule) => rule.event === undefined || rule.event === event.event,
    );
    if (fault?.action === 'delay') {
      // Closing the sandbox ends the wait; the delivery then fails by itself.
      await delay(fault.delayMs, undefined, { signal: this.signal }).catch(() => undefined);
    }
    if (fault?.action === 'lose') {
      delivery.outcome = 'lost';
    } else {
      delivery.outcome = await this.#attemptAll(delivery, event);
      if (fault?.action === 'duplicate') await this.#attemptAll(delivery, event);
    }
    this.changed();
  }

  async #attemptAll(delivery: MutableDelivery, event: WebhookEvent): Promise<'delivered' | 'failed'> {
    const idempotencyToken = randomUUID();
    for (let retry = 0; retry <= this.settings.retries && !this.signal.aborted; retry += 1) {
      const attempt = await this.#attempt(delivery.url, event, retry, idempotencyToken);
      delivery.attempts.push(attempt);
      if (attempt.status !== undefined && attempt.status < 500) {
        return attempt.status < 300 ? 'delivered' : 'failed';
      }
    }
    return 'failed';
  }

  async #attempt(
    url: string,
    event: WebhookEvent,
    retry: number,
    idempotencyToken: string,
  ): Promise<WebhookAttempt> {
    const fields = { ...event.fields, RetryCount: String(retry) };
    const request = signWebhook(url, fields, this.settings.format, this.settings.authToken);
    const startedAt = performance.now();
    const tookMs = (): number => Math.round(performance.now() - startedAt);
    try {
      const response = await fetch(request.url, {
        method: 'POST',
        headers: {
          ...request.headers,
          'user-agent': 'TwilioProxy/1.1',
          'i-twilio-idempotency-token': idempotencyToken,
        },
        body: request.body,
        redirect: 'manual',
        signal: AbortSignal.any([this.signal, AbortSignal.timeout(this.settings.timeoutMs)]),
      });
      await response.arrayBuffer();
      return { status: response.status, error: undefined, tookMs: tookMs() };
    } catch (error) {
      return { status: undefined, error: reasonOf(error), tookMs: tookMs() };
    }
  }
}
