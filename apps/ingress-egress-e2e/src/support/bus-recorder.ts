import {
  createTopics,
  decodeDeadLetter,
  decodeIngress,
  type ConnectorStatus,
  decodeOutcome,
  decodeStatus,
  type DeadLetter,
  type EgressEvent,
  type EgressOutcome,
  encodeEgress,
  type EncodedMessage,
  type IngressEnvelope,
} from '@bitbrat/envelope';
import { createPubSubBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';

/** What the service publishes, as a bot on the bus would see it; and a way to publish what it shall send. */
export class BusRecorder {
  readonly envelopes: IngressEnvelope[] = [];
  readonly outcomes: EgressOutcome[] = [];
  readonly deadLetters: DeadLetter[] = [];
  readonly statuses: ConnectorStatus[] = [];
  readonly topics = createTopics();

  private constructor(
    private readonly bus: MessageBus,
    private readonly instanceId: string,
  ) {}

  static async start(emulatorHost: string, projectId: string, instanceId: string): Promise<BusRecorder> {
    const bus = createPubSubBus({ projectId, emulatorHost, createMissing: true });
    const recorder = new BusRecorder(bus, instanceId);
    const { deadLetter, ingress, outcome, status } = recorder.topics;
    await recorder.#record(ingress, decodeIngress, recorder.envelopes);
    await recorder.#record(outcome, decodeOutcome, recorder.outcomes);
    await recorder.#record(deadLetter, decodeDeadLetter, recorder.deadLetters);
    await recorder.#record(status, decodeStatus, recorder.statuses);
    return recorder;
  }

  /** Envelopes by id: what was published more than once counts once. */
  uniqueEnvelopes(): IngressEnvelope[] {
    return [...new Map(this.envelopes.map((envelope) => [envelope.id, envelope])).values()];
  }

  async send(event: Partial<EgressEvent> & Pick<EgressEvent, 'id' | 'target'>): Promise<void> {
    await this.bus.publish(this.topics.egress(this.instanceId), this.#encode(event));
  }

  /** Without an ordering key, so that the bus may give each copy to another subscriber. */
  async sendUnordered(event: Partial<EgressEvent> & Pick<EgressEvent, 'id' | 'target'>): Promise<void> {
    const { attributes, data } = this.#encode(event);
    await this.bus.publish(this.topics.egress(this.instanceId), { attributes, data });
  }

  #encode(event: Partial<EgressEvent> & Pick<EgressEvent, 'id' | 'target'>): EncodedMessage {
    const whole: EgressEvent = {
      v: '1',
      type: 'chat.send.v1',
      text: 'hi',
      attachments: [],
      correlationId: 'e2e',
      metadata: {},
      ...event,
    };
    const encoded = encodeEgress(whole, '/bots/e2e', new Date().toISOString());
    if (!encoded.ok) throw new Error(encoded.fault.detail);
    return encoded.value;
  }

  async sendBytes(text: string): Promise<void> {
    const data = new TextEncoder().encode(text);
    await this.bus.publish(this.topics.egress(this.instanceId), { data, attributes: {} });
  }

  async stop(): Promise<void> {
    await this.bus.close(2_000);
  }

  async #record<T>(
    topic: string,
    decode: (data: Uint8Array) => { ok: true; value: T } | { ok: false; fault: { detail: string } },
    into: T[],
  ): Promise<void> {
    const take = (message: ReceivedMessage): Promise<'ack'> => {
      const decoded = decode(message.data);
      if (!decoded.ok) throw new Error(`${topic}: ${decoded.fault.detail}`);
      into.push(decoded.value);
      return Promise.resolve('ack');
    };
    await this.bus.subscribe({ topic, subscription: `${topic}.e2e` }, take);
  }
}
