import {
  ConnectorManager,
  type ConnectorHost,
  type IConnector,
  type WebhookReceiver,
  type WebhookRequest,
} from '@bitbrat/connectors-core';
import { createTopics } from '@bitbrat/envelope';
import { type Logger, silentLogger, systemClock } from '@bitbrat/foundation';
import { createMemoryBus, type MessageBus } from '@bitbrat/message-bus';
import { DeadLetterDesk } from '../../dead-letters/dead-letter-desk.js';
import { createHttpServer, type HttpServer } from '../http-server.js';
import { type HttpLimits } from '../limits.js';
import { PLAIN_CAPABILITIES, silentServices } from '../../fixtures/fakes.js';

/** An HTTP server with one connector that takes webhooks, on the memory bus. */
export interface HttpWorld {
  readonly url: string;
  readonly port: number;
  readonly http: HttpServer;
  readonly bus: MessageBus;
  readonly manager: ConnectorManager;
  readonly desk: DeadLetterDesk;
  readonly webhooks: WebhookRequest[];
  stop(): Promise<void>;
}

export const aDesk = (bus: MessageBus): DeadLetterDesk =>
  new DeadLetterDesk(
    { bus, clock: systemClock, logger: silentLogger },
    { topics: createTopics(), egressTopic: 'egress' },
  );

export interface HttpWorldOptions {
  readonly debugToken?: string;
  readonly host?: string;
  readonly limits?: Partial<HttpLimits>;
  readonly logger?: Logger;
  /** What the connector answers webhooks with. */
  readonly handle?: (webhook: WebhookRequest) => Promise<void>;
}

/** Starts one on a free port. */
export async function startHttpWorld(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  const bus = createMemoryBus();
  const webhooks: WebhookRequest[] = [];
  const create = (host: ConnectorHost): IConnector & WebhookReceiver => ({
    name: 'fake',
    capabilities: PLAIN_CAPABILITIES,
    start: () => {
      void host.stateChanged({ status: 'connected', since: '2026-01-01T00:00:00.000Z' });
      return Promise.resolve();
    },
    stop: () => Promise.resolve(),
    sendText: () => Promise.reject(new Error('not asked for')),
    getSnapshot: () => ({
      name: 'fake',
      state: { status: 'connected', since: '2026-01-01T00:00:00.000Z' },
      counters: { received: 1, ignored: 0, sent: 0, sendFailures: 0, reconnects: 0 },
      details: {},
    }),
    handleWebhook: async (webhook) => {
      webhooks.push(webhook);
      await options.handle?.(webhook);
      return { status: 202, contentType: 'text/plain', body: 'taken' };
    },
  });
  const manager = new ConnectorManager([{ name: 'fake', create }], silentServices());
  const desk = aDesk(bus);
  const http = createHttpServer({
    bus,
    manager,
    clock: systemClock,
    logger: options.logger ?? silentLogger,
    desk,
    debugToken: options.debugToken,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const port = await http.listen(options.host ?? '127.0.0.1', 0);
  const stop = async (): Promise<void> => {
    await manager.stopAll(1_000);
    await http.close();
    await bus.close(1_000);
  };
  return { url: `http://127.0.0.1:${port}`, port, http, bus, manager, desk, webhooks, stop };
}
