import { type IConnector } from '../connector.js';

/** An HTTP request as it came, unparsed. */
export interface WebhookRequest {
  readonly method: string;
  /** Path and query as requested, e.g. `/webhooks/twilio?bodySHA256=…`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawBody: Uint8Array;
}

export interface WebhookResponse {
  readonly status: number;
  readonly contentType?: string;
  readonly body?: string;
}

/** The second, small interface of a connector whose platform calls us. */
export interface WebhookReceiver {
  /** Never rejects: each fault has a status. 2xx only after the work is done. */
  handleWebhook(request: WebhookRequest): Promise<WebhookResponse>;
}

export function isWebhookReceiver(connector: IConnector): connector is IConnector & WebhookReceiver {
  return 'handleWebhook' in connector && typeof connector.handleWebhook === 'function';
}
