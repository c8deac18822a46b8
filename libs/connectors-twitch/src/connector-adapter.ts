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
} from '@bitbrat/connectors-core';
import { TWITCH_CAPABILITIES } from './capabilities.js';
import { type TwitchConfig } from './config.js';
import { diagnoseTwitch } from './diagnosis/diagnosis.js';
import { canonicalChannel } from './outbound/message-parts.js';
import { isTwitchSdkRejection } from './session/sdk-rejection.js';
import { TWITCH } from './inbound/twitch-envelope-builder.js';
import { TwitchIngressClient } from './twitch-ingress-client.js';

/** Twitch as the ConnectorManager sees it. */
export class TwitchConnectorAdapter implements IConnector, RejectionHandler, Diagnosable {
  readonly name = TWITCH;
  readonly capabilities: ConnectorCapabilities = TWITCH_CAPABILITIES;
  /**
   * Chat that is written while the connector is away is lost, so joining the rooms resets the back-off. An account may log
   * in 20 times in 10 seconds ("Chat rate limits"); during a deploy two processes share that.
   */
  readonly supervision = { stableAfterMs: 0, minStartIntervalMs: 1_500 } as const;
  readonly #client: TwitchIngressClient;

  constructor(
    private readonly config: TwitchConfig,
    private readonly host: ConnectorHost,
  ) {
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

  canonicalDestination(destination: string): string {
    return canonicalChannel(destination);
  }

  getSnapshot(): ConnectorSnapshot {
    return this.#client.getSnapshot();
  }

  claimRejection(reason: unknown): boolean {
    return isTwitchSdkRejection(reason);
  }

  diagnose(signal: AbortSignal): AsyncIterable<DiagnosisRow> {
    return diagnoseTwitch(this.config, this.host, signal);
  }
}
