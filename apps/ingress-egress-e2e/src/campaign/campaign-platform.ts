import { type Fault } from './fault.js';

/** A message that a person has written, as the platform knows it. */
export interface Written {
  /** The id that its envelope must have. */
  readonly id: string;
  /** The channel's id, as in the envelope. */
  readonly channel: string;
}

/** How much is going on at a platform. */
export interface PlatformLoad {
  /** People who are there from the start. */
  readonly people: number;
  /** Share of the messages that somebody writes who was not there before. */
  readonly newcomers: number;
  /** This platform's part of all that people write, against the others'. */
  readonly weight: number;
  /** Share of the messages that the bot answers. */
  readonly answered: number;
  /** Messages that a bot sends on its own, for each one that a person writes. */
  readonly unasked: number;
  /** The most that bots send a second, answers included; the platform takes no more for long. */
  readonly sendLimit: number;
  /** Share of what a bot sends on its own that has an attachment which cannot be fetched. */
  readonly attachments: number;
  /** Words of a long text: enough for several messages of the platform. */
  readonly longWords: number;
}

/** What a platform promises, and so what is counted as a fault. */
export interface PlatformPromise {
  /**
   * `complete`: nothing that people write may be missing. `gaps`: what is missing must lie in a reported gap.
   */
  readonly inbound: 'complete' | 'gaps';
  /**
   * `once`: exactly once. `unknown`: the outcome `unknown` says that nobody can know, and then at most once.
   */
  readonly outbound: 'once' | 'unknown';
}

/** A message of the bot, as the platform has it. */
export interface Standing {
  readonly id: string;
  readonly text: string;
  /** When the platform took it, in milliseconds since 1970. */
  readonly wallTime: number;
}

/** A channel that was deleted. */
export interface Deleted {
  readonly channel: string;
  /** Milliseconds since 1970. */
  readonly wallTime: number;
}

/** One platform as the campaign drives it. */
export interface CampaignPlatform {
  readonly name: string;
  readonly load: PlatformLoad;
  readonly promise: PlatformPromise;
  readonly faults: readonly Fault[];
  /** What the service needs to reach it. */
  environment(): Record<string, string>;
  /** Somebody writes. A number that was not used before is a newcomer. */
  write(person: number, text: string): Promise<Written>;
  /**
   * Where the bot sends to in order to reach a person who has written; the envelope's `replyTo.destination`.
   */
  destination(person: number): string;
  /** What was deleted with all that was in it, oldest first. */
  deletions(): readonly Deleted[];
  /** Makes each send take longer. @returns what ends it */
  slowSends(delayMs: number): () => void;
  /**
   * What the bot has written: messages per destination, in the platform's order, those included that were
   * deleted later.
   */
  standing(): ReadonlyMap<string, readonly Standing[]>;
  /** Ends all faults. */
  heal(): void;
}
