import { checkDeadline, toReceivedMessage } from '../api/methods.js';
import { type Consumer, type LeasedMessage } from '../engine/entry.js';
import { type LocalBus } from '../engine/local-bus.js';
import { type LocalSubscription } from '../engine/local-subscription.js';
import { StatusError } from '../engine/status-error.js';

/** One StreamingPull call, as far as this file needs it. */
export interface PullStream {
  /** @returns false when the client reads slowly: `onDrain` tells when to go on */
  write(response: object): boolean;
  onDrain(listener: () => void): void;
  onRequest(listener: (request: StreamingPullRequest) => void): void;
  /** The client has closed its side or is gone. May be called more than once. */
  onClosed(listener: () => void): void;
  end(error?: unknown): void;
}

/** `google.pubsub.v1.StreamingPullRequest`. */
export interface StreamingPullRequest {
  readonly subscription?: string;
  readonly streamAckDeadlineSeconds?: number;
  readonly ackIds?: readonly string[];
  readonly modifyDeadlineSeconds?: readonly number[];
  readonly modifyDeadlineAckIds?: readonly string[];
  readonly maxOutstandingMessages?: number;
  readonly maxOutstandingBytes?: number;
}

/** Outstanding messages of a client that sets no bound. */
const MAX_OUTSTANDING = 10_000;

/** Responses are closed at this size; a larger message has one of its own. */
const RESPONSE_BYTES = 1_000_000;

/** Serves one StreamingPull: the first request names the subscription, later ones acknowledge and change deadlines. */
export function openStreamingPull(stream: PullStream, bus: LocalBus): void {
  let reader: StreamReader | undefined;
  stream.onRequest((request) => {
    try {
      reader ??= new StreamReader(stream, request, bus);
      reader.request(request);
    } catch (error) {
      reader?.close();
      stream.end(error);
    }
  });
  stream.onDrain(() => {
    reader?.drained();
  });
  stream.onClosed(() => {
    if (reader?.close() ?? true) stream.end();
  });
}

class StreamReader implements Consumer {
  ackDeadlineMs: number;
  readonly #subscription: LocalSubscription;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;
  #isFull = false;
  #isClosed = false;

  constructor(
    private readonly stream: PullStream,
    request: StreamingPullRequest,
    bus: LocalBus,
  ) {
    if (request.subscription === undefined) {
      throw new StatusError('INVALID_ARGUMENT', 'the first request: expected a subscription');
    }
    this.ackDeadlineMs = toDeadlineMs(request.streamAckDeadlineSeconds ?? 0);
    this.#maxMessages = positive(request.maxOutstandingMessages, MAX_OUTSTANDING);
    this.#maxBytes = positive(request.maxOutstandingBytes, Infinity);
    this.#subscription = bus.reading(request.subscription);
    this.#subscription.attach(this);
  }

  request(request: StreamingPullRequest): void {
    const { ackIds = [], modifyDeadlineAckIds = [], modifyDeadlineSeconds = [] } = request;
    if (modifyDeadlineAckIds.length !== modifyDeadlineSeconds.length) {
      throw new StatusError('INVALID_ARGUMENT', 'modifyDeadlineSeconds: expected one for each ack id');
    }
    if (request.streamAckDeadlineSeconds !== undefined) {
      this.ackDeadlineMs = toDeadlineMs(request.streamAckDeadlineSeconds);
    }
    this.#subscription.acknowledge(ackIds);
    for (const [index, ackId] of modifyDeadlineAckIds.entries()) {
      const seconds = checkDeadline(modifyDeadlineSeconds[index] ?? 0);
      this.#subscription.modifyAckDeadline([ackId], seconds);
    }
  }

  hasRoom(bytes: number): boolean {
    if (this.#isFull || this.#messages >= this.#maxMessages) return false;
    return this.#messages === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  reserve(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
  }

  released(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
    this.#subscription.wake();
  }

  deliver(messages: readonly LeasedMessage[]): void {
    let response: LeasedMessage[] = [];
    let bytes = 0;
    const send = (): void => {
      if (response.length > 0 && !this.stream.write({ receivedMessages: response.map(toReceivedMessage) })) {
        this.#isFull = true;
      }
      response = [];
      bytes = 0;
    };
    for (const leased of messages) {
      if (bytes + leased.message.bytes > RESPONSE_BYTES) send();
      response.push(leased);
      bytes += leased.message.bytes;
    }
    send();
  }

  drained(): void {
    this.#isFull = false;
    this.#subscription.wake();
  }

  ended(reason: StatusError): void {
    this.#isClosed = true;
    this.stream.end(reason);
  }

  /** @returns whether it was open */
  close(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#subscription.detach(this);
    return true;
  }
}

function toDeadlineMs(seconds: number): number {
  if (seconds >= 10 && seconds <= 600) return seconds * 1000;
  throw new StatusError('INVALID_ARGUMENT', 'streamAckDeadlineSeconds: expected 10 to 600');
}

function positive(value: number | undefined, fallback: number): number {
  return value === undefined || value <= 0 ? fallback : value;
}
