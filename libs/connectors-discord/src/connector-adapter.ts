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
import { DISCORD_CAPABILITIES } from './capabilities.js';
import { type DiscordConfig } from './config.js';
import { diagnoseDiscord } from './diagnosis/diagnosis.js';
import { DISCORD } from './inbound/discord-envelope-builder.js';
import { DiscordIngressClient } from './discord-ingress-client.js';
import { isDiscordSdkRejection } from './session/sdk-rejection.js';

/** Discord as the ConnectorManager sees it. */
export class DiscordConnectorAdapter implements IConnector, RejectionHandler, Diagnosable {
  readonly name = DISCORD;
  readonly capabilities: ConnectorCapabilities = DISCORD_CAPABILITIES;
  readonly #client: DiscordIngressClient;

  /** @param random in [0, 1); for the jitter of back-offs */
  constructor(
    private readonly config: DiscordConfig,
    private readonly host: ConnectorHost,
    random: () => number,
  ) {
    this.#client = new DiscordIngressClient(config, host, random);
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
    return isDiscordSdkRejection(reason);
  }

  diagnose(signal: AbortSignal): AsyncIterable<DiagnosisRow> {
    return diagnoseDiscord(this.config, this.host, signal);
  }
}
