import {
  type CodecResult,
  createReply,
  createTopics,
  decodeDeadLetter,
  decodeEgress,
  decodeIngress,
  decodeOutcome,
  decodeStatus,
  type DeadLetter,
  type EgressEvent,
  encodeEgress,
} from '@bitbrat/envelope';
import { createPubSubBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import { waitUntil } from '../../support/wait-until.js';
import { type CampaignBus } from '../machinery/campaign-bus.js';
import { type AcceptedFact, type GapFact, type OutcomeFact, type PublishedFact } from '../facts.js';
import { type Journal } from '../journal.js';
import { type AnswerPlan } from '../plan.js';
import { answerToken, readToken, wordsOf } from './words.js';

/** The service's name on the bus. */
export const INSTANCE_ID = 'campaign';

export interface BusWatchOptions {
  readonly bus: Pick<CampaignBus, 'host' | 'projectId'>;
  readonly journal: Journal;
  /** What is answered to a person's message; undefined: nothing. */
  readonly answerTo: (token: string) => AnswerPlan | undefined;
}

/** What the campaign knows of an event. */
export interface EventFact {
  readonly token: string;
  readonly words: number;
  /** Milliseconds from now to `expiresAt`; undefined: never. */
  readonly expiresInMs?: number | undefined;
  /** Default: true. */
  readonly isOrdered?: boolean;
  readonly isUnsendable?: boolean;
}

/** An event with its ordering key, if the bot sets one. */
interface Outgoing {
  readonly event: EgressEvent;
  readonly message: {
    readonly data: Uint8Array;
    readonly attributes: Record<string, string>;
    readonly orderingKey?: string;
  };
}

/** A bot on the bus: it sees all that the service publishes, answers some of it, and sends on its own. */
export class BusWatch {
  readonly published: PublishedFact[] = [];
  readonly accepted: AcceptedFact[] = [];
  readonly outcomes: OutcomeFact[] = [];
  readonly deadLetters: string[] = [];
  readonly gaps: GapFact[] = [];
  /** When the bus last delivered something, in the journal's time. */
  lastSeenAt = 0;
  readonly #topics = createTopics();
  readonly #seen = new Set<string>();
  readonly #handed = new Set<string>();
  readonly #held: Outgoing[] = [];
  /** As they were published first: a repetition is the same to the letter. */
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #publishing = new Set<Promise<unknown>>();
  #holds = false;
  #bus: MessageBus;

  private constructor(private readonly options: BusWatchOptions) {
    this.#bus = this.#connect();
  }

  static async start(options: BusWatchOptions): Promise<BusWatch> {
    const watch = new BusWatch(options);
    await watch.#subscribe();
    return watch;
  }

  /**
   * Publishes an event, or the same once more. It is accepted as soon as it is handed to the bus, which keeps
   * the order.
   */
  send(
    platform: string,
    event: Pick<EgressEvent, 'id' | 'target' | 'text'> & Partial<EgressEvent>,
    fact: EventFact,
  ): void {
    const { journal } = this.options;
    const { id, target } = event;
    let outgoing = this.#outgoing.get(id);
    if (outgoing === undefined) {
      const { expiresInMs, isOrdered = true, isUnsendable, token, words } = fact;
      const expiresAt = expiresInMs === undefined ? undefined : Date.now() + expiresInMs;
      outgoing = encode(
        {
          v: '1',
          type: 'chat.send.v1',
          attachments: [],
          correlationId: id,
          metadata: {},
          ...event,
          ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
        },
        isOrdered,
      );
      this.#outgoing.set(id, outgoing);
      const { orderingKey } = outgoing.message;
      const { destination } = target;
      const at = journal.now();
      this.accepted.push({
        id,
        platform,
        destination,
        token,
        words,
        at,
        orderingKey,
        expiresAt,
        isUnsendable,
      });
    }
    if (this.#holds) {
      journal.note('egress event held back until the bus is there again', id, fact.token);
      this.#held.push(outgoing);
    } else {
      this.#publish(outgoing);
    }
  }

  /** Ids of events that were handed to the bus and that the service has not settled yet. */
  unsettled(): readonly string[] {
    const settled = new Set(this.outcomes.map(({ eventId }) => eventId));
    return [...this.#handed].filter((id) => !settled.has(id));
  }

  /** From now on events wait here, in order. */
  hold(): void {
    this.#holds = true;
  }

  /** Publishes what has waited. */
  release(): void {
    this.#holds = false;
    for (const outgoing of this.#held.splice(0)) this.#publish(outgoing);
  }

  /** Resolves when the bus has taken all that was handed to it. */
  async flushed(): Promise<void> {
    await Promise.allSettled(this.#publishing);
  }

  /** Ends the connection to the bus, so that the bus can go. */
  async disconnect(): Promise<void> {
    await this.#bus.close(5_000);
  }

  /** Makes topics and subscriptions anew on a bus that has lost them. */
  async reconnect(): Promise<void> {
    this.#bus = this.#connect();
    await this.#subscribe();
  }

  /** Resolves when the service listens for egress events. */
  async waitForListener(): Promise<void> {
    const { host, projectId } = this.options.bus;
    const name = encodeURIComponent(this.#topics.egress(INSTANCE_ID));
    const url = `http://${host}/v1/projects/${projectId}/subscriptions/${name}`;
    const probe = async (): Promise<true | undefined> => {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.ok === true ? true : undefined;
    };
    await waitUntil(`the service's egress subscription`, probe, 120_000);
  }

  #connect(): MessageBus {
    const { host, projectId } = this.options.bus;
    return createPubSubBus({ projectId, emulatorHost: host, createMissing: true });
  }

  async #subscribe(): Promise<void> {
    const { deadLetter, ingress, outcome, status } = this.#topics;
    await Promise.all([
      this.#take(ingress, (message) => {
        this.#onIngress(message);
      }),
      this.#take(outcome, (message) => {
        const {
          attempts,
          error,
          eventId,
          occurredAt,
          platformMessageIds,
          status: settled,
        } = read(message, decodeOutcome);
        this.outcomes.push({
          eventId,
          status: settled,
          code: error?.code,
          attempts,
          messageIds: platformMessageIds,
          occurredAt: Date.parse(occurredAt),
          at: this.options.journal.now(),
        });
        this.#note(`outcome ${settled} after ${attempts} attempts ${error?.code ?? ''}`, eventId);
      }),
      this.#take(deadLetter, (message) => {
        this.#onDeadLetter(read(message, decodeDeadLetter));
      }),
      this.#take(status, (message) => {
        const { connector, error, gap, state } = read(message, decodeStatus);
        this.#note(`${connector} is ${state} ${error?.code ?? ''} ${error?.message ?? ''}`);
        if (gap === undefined) return;
        const fact = {
          platform: connector,
          from: Date.parse(gap.from),
          to: Date.parse(gap.to),
          lost: gap.lost,
          at: this.options.journal.now(),
        };
        this.gaps.push(fact);
        this.#note(`${connector} reports a gap from ${gap.from} to ${gap.to}: ${gap.reason}`);
      }),
    ]);
  }

  /** @param take called once per message of the bus, however often the bus delivers it */
  async #take(topic: string, take: (message: ReceivedMessage) => void): Promise<void> {
    await this.#bus.subscribe({ topic, subscription: `${topic}.campaign` }, (message) => {
      const key = `${topic} ${message.id} ${message.publishedAt}`;
      this.lastSeenAt = this.options.journal.now();
      if (!this.#seen.has(key)) {
        this.#seen.add(key);
        take(message);
      }
      return Promise.resolve('ack');
    });
  }

  #onIngress(message: ReceivedMessage): void {
    const envelope = read(message, decodeIngress);
    const token = readToken(envelope.text);
    this.published.push({ id: envelope.id, busId: message.id, channel: envelope.channel.id, token });
    this.#note(
      `published as message ${message.id} of the bus`,
      envelope.id,
      ...(token === undefined ? [] : [token]),
    );
    const plan = token === undefined ? undefined : this.options.answerTo(token);
    if (token === undefined || plan === undefined) return;
    const answer = answerToken(token);
    const text = wordsOf(answer, plan.words);
    this.send(envelope.source, createReply(envelope, text), { token: answer, ...plan });
  }

  #onDeadLetter(letter: DeadLetter): void {
    const event = decodeEgress(Buffer.from(letter.bodyBase64, 'base64'));
    const id = event.ok ? event.value.id : letter.id;
    this.deadLetters.push(id);
    this.#note(
      `dead letter after ${letter.attempts} attempts: ${letter.error.code} ${letter.error.message}`,
      id,
    );
  }

  #publish({ event, message }: Outgoing): void {
    this.#handed.add(event.id);
    this.#note(`egress event handed to the bus`, event.id);
    const work = this.#bus.publish(this.#topics.egress(INSTANCE_ID), message).then(
      (busId) => {
        this.#note(`egress event taken by the bus as message ${busId}`, event.id);
      },
      (error: unknown) => {
        this.#note(`egress event refused by the bus: ${String(error)}`, event.id);
      },
    );
    this.#publishing.add(work);
    void work.finally(() => this.#publishing.delete(work));
  }

  #note(what: string, ...about: string[]): void {
    this.options.journal.note(what.trim(), ...about);
  }
}

function encode(event: EgressEvent, isOrdered: boolean): Outgoing {
  const encoded = encodeEgress(event, '/bots/campaign', new Date().toISOString());
  if (!encoded.ok) throw new Error(`${event.id}: ${encoded.fault.detail}`);
  const { attributes, data } = encoded.value;
  return { event, message: isOrdered ? encoded.value : { data, attributes } };
}

function read<T>(message: ReceivedMessage, decode: (data: Uint8Array) => CodecResult<T>): T {
  const decoded = decode(message.data);
  if (!decoded.ok) throw new Error(`${message.topic}: ${decoded.fault.detail}`);
  return decoded.value;
}
