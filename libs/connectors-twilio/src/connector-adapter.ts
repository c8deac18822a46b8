import {
  type ConnectorCapabilities,
  type ConnectorHost,
  type ConnectorSnapshot,
  type Diagnosable,
  type DiagnosisRow,
  type IConnector,
  type RejectionHandler,
  type SendOptions,
  type SendReceipt,
  toConnectorError,
  type WebhookReceiver,
  type WebhookRequest,
  type WebhookResponse,
} from '@bitbrat/connectors-core';
import { TWILIO_CAPABILITIES } from './capabilities.js';
import { type TwilioConfig } from './config.js';
import { canonicalConversationSid } from './platform/conversation-sid.js';
import { diagnoseTwilio } from './diagnosis/diagnosis.js';
import { isTwilioSdkRejection, saysObjectGone } from './session/sdk-rejection.js';
import { TWILIO } from './inbound/twilio-envelope-builder.js';
import { TwilioIngressClient } from './twilio-ingress-client.js';
import { judgeWebhook, toFailureStatus } from './webhook/webhook.js';

/** Twilio as the ConnectorManager sees it. */
export class TwilioConnectorAdapter implements IConnector, WebhookReceiver, RejectionHandler, Diagnosable {
  readonly name = TWILIO;
  readonly capabilities: ConnectorCapabilities = TWILIO_CAPABILITIES;
  readonly #client: TwilioIngressClient;

  /** @param random in [0, 1); for the jitter of back-offs */
  constructor(
    private readonly config: TwilioConfig,
    private readonly host: ConnectorHost,
    random: () => number,
  ) {
    this.#client = new TwilioIngressClient(config, host, random);
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#client.start(signal);
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }

  sendText(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    return this.#client.sendText(text, destination, options);
  }

  canonicalDestination(destination: string): string {
    return canonicalConversationSid(destination);
  }

  getSnapshot(): ConnectorSnapshot {
    return this.#client.getSnapshot();
  }

  claimRejection(reason: unknown): boolean {
    return isTwilioSdkRejection(reason);
  }

  isLeftover(reason: unknown): boolean {
    return this.#client.hasLeftovers || saysObjectGone(reason);
  }

  diagnose(signal: AbortSignal): AsyncIterable<DiagnosisRow> {
    return diagnoseTwilio(this.config, this.host, signal);
  }

  /** 200 after the bot is in the conversation, or the bus has the receipt; 4xx for what is not Twilio's or unreadable; 5xx where Twilio shall try again. */
  async handleWebhook(request: WebhookRequest): Promise<WebhookResponse> {
    const { logger } = this.host;
    const { authToken, chatServiceSid, webhookUrl } = this.config;
    if (webhookUrl === undefined) {
      logger.warn('twilio.webhook-refused', { status: 404, reason: 'TWILIO_WEBHOOK_URL is not set' });
      return respond(404, 'TWILIO_WEBHOOK_URL is not set: signatures cannot be checked');
    }
    try {
      const verdict = judgeWebhook(request, { authToken, chatServiceSid, webhookUrl });
      switch (verdict.kind) {
        case 'wake':
          await this.#client.joinAndRead(verdict.conversationSid);
          return respond(200, 'ok');
        case 'delivery': {
          const isOurs = await this.#client.reportDelivery(verdict.update);
          return respond(200, isOurs ? 'ok' : 'ignored');
        }
        case 'ignore':
          return respond(200, 'ignored');
        case 'refuse':
          logger.warn('twilio.webhook-refused', { status: verdict.status, reason: verdict.reason });
          return respond(verdict.status, verdict.reason);
        default:
          return verdict satisfies never;
      }
    } catch (reason) {
      const error = toConnectorError(reason);
      const status = toFailureStatus(error);
      logger.warn('twilio.webhook-failed', { status, code: error.code, reason: error.message });
      return respond(status, 'try again later');
    }
  }
}

function respond(status: number, body: string): WebhookResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
