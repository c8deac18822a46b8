import { PubSubAdmin } from './pubsub-admin.js';
import { openPubSubClient, type PubSubClient } from './pubsub-client.js';
import { type PubSubSettings } from './pubsub-options.js';
import { TemporaryTopics } from './temporary-topics.js';

/** The library's clients and what makes topics and subscriptions with them. */
export interface PubSubConnection {
  readonly client: PubSubClient;
  readonly admin: PubSubAdmin;
  readonly temporary: TemporaryTopics;
}

/** Opens the connection when it is first wanted; after a failure the next one who wants it tries again. */
export class LazyConnection {
  private opened: Promise<PubSubConnection> | undefined;

  constructor(private readonly settings: PubSubSettings) {}

  get(): Promise<PubSubConnection> {
    this.opened ??= this.open();
    return this.opened;
  }

  async close(): Promise<void> {
    const connection = await this.opened?.catch(() => undefined);
    await connection?.client.close();
  }

  private async open(): Promise<PubSubConnection> {
    try {
      const client = await openPubSubClient(this.settings);
      return {
        client,
        admin: new PubSubAdmin(client, this.settings),
        temporary: new TemporaryTopics(client, this.settings),
      };
    } catch (error) {
      this.opened = undefined;
      throw error;
    }
  }
}
