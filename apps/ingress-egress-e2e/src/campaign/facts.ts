import { type EgressStatus } from '@bitbrat/envelope';
import { type PlatformPromise } from './campaign-platform.js';
import { type Word } from './words.js';

/** A person wrote it. */
export interface WrittenFact {
  readonly platform: string;
  readonly channel: string;
  /** The id that its envelope must have. */
  readonly id: string;
  readonly token: string;
  /** Milliseconds since 1970, by the clock that the service's reports use. */
  readonly wallTime: number;
}

/** The bus delivered an envelope for the first time. */
export interface PublishedFact {
  readonly id: string;
  /** The bus's own id: an envelope that was published twice has two. */
  readonly busId: string;
  readonly channel: string;
  readonly token: string | undefined;
}

/** A bot gave an event to the bus. */
export interface AcceptedFact {
  readonly id: string;
  readonly platform: string;
  readonly destination: string;
  readonly token: string;
  readonly words: number;
  /** Milliseconds since the run began. */
  readonly at: number;
}

export interface OutcomeFact {
  readonly eventId: string;
  readonly status: EgressStatus;
  /** Of the error, where there is one. */
  readonly code: string | undefined;
  /** Milliseconds since the run began. */
  readonly at: number;
}

/** A span in which a connector says that it could not receive. */
export interface GapFact {
  readonly platform: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly lost: number | undefined;
  /** When the bus delivered the report, in milliseconds since the run began. */
  readonly at: number;
}

/** The platform has deleted a channel with all that was in it. */
export interface DeletionFact {
  readonly platform: string;
  readonly channel: string;
  /** Milliseconds since the run began. */
  readonly at: number;
  /** The same moment in milliseconds since 1970. */
  readonly wallTime: number;
}

/** A fault, from its cause to its healing, in milliseconds since the run began. */
export interface TroubleFact {
  /** `twitch`, `service`, `bus`, ...: what the fault's name begins with. */
  readonly lane: string;
  /** The process stood still and went on; nobody had ended it. */
  readonly isStandstill?: boolean;
  readonly from: number;
  readonly to: number;
}

/** Where one run ended and the next one, on the same state, began: how long the lists were. */
export interface BorderFact {
  readonly published: number;
  readonly written: number;
}

/** All that a run has seen. Lists are in order of time. */
export interface Facts {
  /** When the run began, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly promises: ReadonlyMap<string, PlatformPromise>;
  readonly written: readonly WrittenFact[];
  readonly published: readonly PublishedFact[];
  readonly accepted: readonly AcceptedFact[];
  readonly outcomes: readonly OutcomeFact[];
  /** Ids of egress events, or of the bus's messages where they cannot be read. */
  readonly deadLetters: readonly string[];
  readonly gaps: readonly GapFact[];
  readonly troubles: readonly TroubleFact[];
  readonly deletions: readonly DeletionFact[];
  /** How much had been published and written when each run but the first began. */
  readonly borders: readonly BorderFact[];
  /** What the bot has written: words by platform and destination, in the platform's order. */
  readonly standing: ReadonlyMap<string, ReadonlyMap<string, readonly Word[]>>;
}
