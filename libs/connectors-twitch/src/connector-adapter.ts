import {
  type ConnectorCapabilities,
  type ConnectorHost,
  type ConnectorSnapshot,
  type IConnector,
  type RejectionHandler,
  type SendOptions,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import { TWITCH_CAPABILITIES } from './capabilities.js';
import { type TwitchConfig } from './config.js';
import { isTwitchSdkRejection } from './sdk-rejection.js';
import { TWITCH } from './twitch-envelope-builder.js';
import { TwitchIngressClient } from './twitch-ingress-client.js';

/** Twitch as the ConnectorManager sees it. */
export class TwitchConnectorAdapter implements IConnector, RejectionHandler {
  readonly name = TWITCH;
  readonly capabilities: ConnectorCapabilities = TWITCH_CAPABILITIES;
  readonly #client: TwitchIngressClient;

  constructor(config: TwitchConfig, host: ConnectorHost) {
    this.#client = new TwitchIngressClient(config, host);
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

  getSnapshot(): ConnectorSnapshot {
    return this.#client.getSnapshot();
  }

  claimRejection(reason: unknown): boolean {
    return isTwitchSdkRejection(reason);
  }
}
