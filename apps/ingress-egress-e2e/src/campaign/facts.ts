import { type EgressStatus } from '@bitbrat/envelope';
import { type PlatformPromise } from './campaign-platform.js';
import { type Word } from './load/words.js';

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
  /** What the bus keeps in order; undefined: nothing. */
  readonly orderingKey?: string | undefined;
  /** Milliseconds since 1970; undefined: it never expires. */
  readonly expiresAt?: number | undefined;
  /** It has an attachment that nobody can fetch: it must not be sent. */
  readonly isUnsendable?: boolean | undefined;
}

export interface OutcomeFact {
  readonly eventId: string;
  readonly status: EgressStatus;
  /** Of the error, where there is one. */
  readonly code: string | undefined;
  /** Tries that reached the platform. */
  readonly attempts: number;
  /** The platform's ids of what was sent. */
  readonly messageIds: readonly string[];
  /** When it was known by the service's clock, in milliseconds since 1970. */
  readonly occurredAt: number;
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
  /** `twitch.drop`, `service.kill`, ... */
  readonly name: string;
  /** `twitch`, `service`, `bus`, ...: what the fault's name begins with. */
  readonly lane: string;
  /** The process stood still and went on; nobody had ended it. */
  readonly isStandstill?: boolean;
  readonly from: number;
  readonly to: number;
  /**
   * Until when the bus may have lent messages to a connection that is dead. They come again when their lease
   * has ended. Undefined: as long as the fault lasts.
   */
  readonly lendsUntil?: number | undefined;
  /** Milliseconds that the service may take to notice it, because nothing but a watchdog can. */
  readonly detectionMs?: number | undefined;
  /** Everything that is needed goes on meanwhile, as during a deploy. */
  readonly isOverlap?: boolean | undefined;
}

/** A process of the service says how one of its connectors is, or ends. */
export interface StateFact {
  /** Counts the processes of a run. */
  readonly process: number;
  /** Undefined: all, because the process has begun or ended. */
  readonly platform: string | undefined;
  readonly isConnected: boolean;
  /** `false`: the process has ended, and nothing waits for it. */
  readonly isAlive: boolean;
  /** It has failed for a reason that does not pass quickly. */
  readonly hasFailed?: boolean | undefined;
  /** Milliseconds since the run began. */
  readonly at: number;
}

/** A try to send failed, and the service says when it tries again. */
export interface RetryFact {
  readonly eventId: string;
  readonly code: string;
  /** Tries so far. */
  readonly tries: number;
  /** Milliseconds until the next one. */
  readonly delayMs: number;
  /** Milliseconds since the run began. */
  readonly at: number;
}

/** The machine was too busy for the campaign itself, and so for the service. */
export interface StallFact {
  /** When it was over, in milliseconds since the run began. */
  readonly at: number;
  readonly ms: number;
}

/** A message of the bot on its platform. */
export interface StandingFact {
  /** The platform's. */
  readonly id: string;
  /** When the platform took it, in milliseconds since 1970. */
  readonly wallTime: number;
  readonly words: readonly Word[];
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
  /** In order of time. */
  readonly states: readonly StateFact[];
  readonly retries: readonly RetryFact[];
  readonly stalls: readonly StallFact[];
  /** What the bot has written: by platform and destination, in the platform's order. */
  readonly standing: ReadonlyMap<string, ReadonlyMap<string, readonly StandingFact[]>>;
}
