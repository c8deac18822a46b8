import { type AcceptedFact, type Facts, type OutcomeFact, type StandingFact } from '../facts.js';
import { type Finding } from './verdict.js';

/** An event with what is known of it. */
export interface JudgedEvent extends AcceptedFact {
  /** Of all accepted events, from 0. */
  readonly index: number;
  /** In order of time. */
  readonly outcomes: readonly OutcomeFact[];
  /** Whether another event has the same text for the same destination. */
  hasEqual: boolean;
}

/** A message on its platform, and the event that it belongs to as far as that can be known. */
export interface PlacedMessage extends StandingFact {
  readonly event: JudgedEvent | undefined;
}

/**
 * Events with one text for one destination, with all messages of this text there. Nearly always it is one
 * event; where several have the same text, they are told apart by the ids in their outcomes, and accounted
 * for by number.
 */
export interface EqualTexts {
  readonly events: readonly JudgedEvent[];
  readonly messages: readonly StandingFact[];
}

/** What stands on the platforms, matched with what bots gave to the bus. */
export interface MatchedEgress {
  readonly groups: readonly EqualTexts[];
  /** The messages of each destination in the platform's order. */
  readonly channels: readonly (readonly PlacedMessage[])[];
  readonly findings: readonly Finding[];
}

/** Matches messages and events. What stands where nobody sent it is a finding. */
export function matchEgress({ accepted, outcomes, standing }: Facts): MatchedEgress {
  const byEvent = groupByEvent(outcomes);
  const groups = new Map<string, { events: JudgedEvent[]; messages: StandingFact[] }>();
  for (const [index, fact] of accepted.entries()) {
    const key = keyOf(fact.platform, fact.destination, fact.token);
    const event = { ...fact, index, outcomes: byEvent.get(fact.id) ?? [], hasEqual: false };
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { events: [event], messages: [] });
    else group.events.push(event);
  }
  for (const { events } of groups.values()) for (const event of events) event.hasEqual = events.length > 1;
  const findings: Finding[] = [];
  const channels: PlacedMessage[][] = [];
  for (const [platform, byDestination] of standing) {
    for (const [destination, messages] of byDestination) {
      channels.push(
        messages.map((message) => {
          const group = groups.get(keyOf(platform, destination, message.words[0]?.token ?? ''));
          if (group === undefined) {
            for (const token of new Set(message.words.map((word) => word.token))) {
              const detail = `${token} stands in ${destination} of ${platform}, where nobody sent it`;
              findings.push({ kind: 'egress invented', detail, keys: [token] });
            }
          }
          group?.messages.push(message);
          return { ...message, event: group === undefined ? undefined : eventOf(message, group.events) };
        }),
      );
    }
  }
  return { groups: [...groups.values()], channels, findings };
}

/**
 * Outcomes must name messages that stand there with the event's text, and each message belongs to one event.
 */
export function misattributed({ events, messages }: EqualTexts): Finding[] {
  const known = new Set(messages.map(({ id }) => id));
  const owners = new Map<string, string>();
  return events.flatMap((event) => {
    const keys = [event.id, event.token];
    const named = new Set(event.outcomes.flatMap((outcome) => outcome.messageIds));
    return [...named].flatMap((id): Finding[] => {
      const owner = owners.get(id);
      owners.set(id, event.id);
      const detail =
        owner !== undefined
          ? `${event.id} and ${owner} both say that message ${id} is theirs`
          : known.has(id)
            ? undefined
            : `${event.id} says that message ${id} is its own, which does not stand there with its text`;
      return detail === undefined ? [] : [{ kind: 'egress outcome wrong', detail, keys }];
    });
  });
}

function groupByEvent(outcomes: readonly OutcomeFact[]): Map<string, OutcomeFact[]> {
  const groups = new Map<string, OutcomeFact[]>();
  for (const outcome of outcomes) {
    const group = groups.get(outcome.eventId);
    if (group === undefined) groups.set(outcome.eventId, [outcome]);
    else group.push(outcome);
  }
  return groups;
}

function eventOf({ id }: StandingFact, events: readonly JudgedEvent[]): JudgedEvent | undefined {
  if (events.length === 1) return events[0];
  return events.find(({ outcomes }) => outcomes.some(({ messageIds }) => messageIds.includes(id)));
}

function keyOf(platform: string, destination: string, token: string): string {
  return `${platform}\n${destination}\n${token}`;
}
