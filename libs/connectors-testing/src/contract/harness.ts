import { type IConnector } from '@bitbrat/connectors-core';
import { type RecordingHost } from '../recording-host.js';

/** Where a person's message stands. */
export interface ReceivedMessage {
  /** The platform's id of the message: what follows `{source}:` in the envelope's id. */
  readonly nativeId: string;
  /** The place, as `sentTexts` takes it. */
  readonly destination: string;
}

export interface ReceiveOptions {
  /** Any word: the same word is the same channel. Default: one channel for all. */
  readonly channel?: string;
  /** Any word: the same word is the same person. */
  readonly from?: string;
  /** The bot's own account writes, not through the connector. */
  readonly own?: boolean;
}

/** A part of the connector that fails by itself. */
export interface FailingPart {
  /** A channel, as in `ReceiveOptions`, that works all the while. */
  readonly unharmedChannel: string;
  /** The part works again. */
  heal(): Promise<void>;
}

/** A connector on a platform, both new for each case, and the levers that the contract's cases pull. */
export interface ConnectorHarness {
  /** Not started yet. */
  readonly connector: IConnector;
  readonly host: RecordingHost;
  /** Credentials and tokens, none of which may be seen outside the connector. */
  readonly secrets: readonly string[];
  /** Whether a message that the bus refused comes again: later or after a restart. False where the platform has no history. */
  readonly redelivers: boolean;
  /** How long to wait for something to happen, in milliseconds. Default 10,000. */
  readonly patienceMs?: number;
  /** How long to watch that something does not happen, in milliseconds. Default 100. */
  readonly watchMs?: number;
  /** A person writes on the platform, whether the connector is there or not. */
  receive(text: string, options?: ReceiveOptions): Promise<ReceivedMessage>;
  /** What the bot has written in a place, oldest first. */
  sentTexts(destination: string): Promise<readonly string[]>;
  /** A place that exists and in which nobody has written. */
  aDestination(): Promise<string>;
  /** A well-formed name of a place that does not exist. */
  anUnknownDestination(): string;
  /** The connection is lost; the platform can be reached again at once. */
  dropConnection(): Promise<void>;
  /** The platform refuses the `part`-th message that the bot writes from now on, and would take it later. */
  refusePart(part: number): Promise<void>;
  /**
   * What happens to the next send. `retryable`: it fails before it is executed. `answer-lost`: it is executed but its
   * answer does not arrive.
   */
  failNextSend(kind: 'retryable' | 'answer-lost'): Promise<void>;
  /** From now on the platform refuses the credentials. Left out where it has none. */
  refuseCredentials?(): Promise<void>;
  /** From now on one part (a channel, a guild) fails while the others work. Left out where the platform has no such parts. */
  failPart?(): Promise<FailingPart>;
  /** Connections to the platform that are open. Left out where the platform cannot tell. */
  openConnections?(): number | Promise<number>;
  /** Takes the platform down; called after the connector has been stopped. */
  dispose(): Promise<void>;
}

/** One thing that each connector promises. Rejects, in words, where the connector in the harness breaks it. */
export interface ContractCase {
  readonly name: string;
  run(harness: ConnectorHarness): Promise<void>;
}
