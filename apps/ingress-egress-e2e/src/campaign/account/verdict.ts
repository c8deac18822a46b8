/** What can be wrong with a message. */
export type FindingKind =
  | 'ingress missing'
  | 'ingress invented'
  | 'ingress changed'
  | 'ingress out of order'
  | 'ingress repeated by a later run'
  | 'ingress loss miscounted'
  | 'egress missing'
  | 'egress doubled'
  | 'egress invented'
  | 'egress out of order'
  | 'egress without outcome'
  | 'egress given up'
  | 'egress unknown without cause'
  | 'egress outcome wrong'
  | 'egress outcome repeated'
  | 'egress expired early'
  | 'egress sent after expiry'
  | 'egress late'
  | 'egress not refused'
  | 'gap too long'
  | 'service ended by itself';

/** One message that is not accounted for. */
export interface Finding {
  readonly kind: FindingKind;
  readonly detail: string;
  /** Ids and tokens by which its history is found. */
  readonly keys: readonly string[];
}

/** What a run comes to. */
export interface Verdict {
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<CountName, number>>;
  /**
   * Milliseconds from the moment at which all that an event needs was back to its message's on the platform,
   * ascending.
   */
  readonly healMs: readonly number[];
}

export const COUNTS = [
  'written',
  'published',
  'repeats',
  'lost in reported gaps',
  'deleted unread',
  'accepted',
  'standing',
  'unknown',
  'reordered by redelivery',
  'refused as deleted',
  'refused by status',
  'expired',
  'equal texts',
  'dead letters',
  'gaps',
  'overtaken in a deploy',
] as const;

/** What is counted without being a fault. */
export type CountName = (typeof COUNTS)[number];

/** Findings that time may still mend. */
export function isPending({ kind }: Finding): boolean {
  return kind === 'ingress missing' || kind === 'egress missing' || kind === 'egress without outcome';
}
