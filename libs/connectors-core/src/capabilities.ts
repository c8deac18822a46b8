import { type Rate } from './outbound/rate-limiter.js';

/** How a platform counts the length of a text. */
export type LengthUnit = 'utf16' | 'code-points';

/** How fast a platform takes messages; faster ones wait. A connector that paces itself leaves it out. */
export interface SendRates {
  /** To one destination. */
  readonly perDestination?: Rate;
  /** In all. */
  readonly total?: Rate;
}

/** What a platform can do, as data. Shared code reads it; it never asks which platform it is. */
export interface ConnectorCapabilities {
  readonly text: {
    /** The longest text of one message, in `unit`. */
    readonly maxLength: number;
    readonly unit: LengthUnit;
    /** Whether a message may hold line breaks. */
    readonly multiline: boolean;
  };
  readonly attachments: {
    readonly inbound: boolean;
    /** The most attachments of one outbound message; 0: none can be sent. */
    readonly maxOutbound: number;
  };
  readonly directMessages: boolean;
  /** Whether an answer can be shown as an answer to a message. */
  readonly replies: boolean;
  /** Whether the platform tells later that a message was delivered or read. */
  readonly receipts: boolean;
  /** Whether edits and deletions by people are reported. */
  readonly edits: boolean;
  readonly formatting: 'none' | 'markdown';
  readonly rates?: SendRates;
  /**
   * How a message that may have been sent already is kept from being sent twice: by looking for it (`lookup`),
   * by the platform itself (`platform`), or not at all (`none`).
   */
  readonly duplicateProtection: 'lookup' | 'platform' | 'none';
  /** With `platform`: for how many milliseconds after a try it knows a repetition; left out: for ever. */
  readonly protectedForMs?: number;
}
