import { type EgressStatus } from '@bitbrat/envelope';
import { isRefusedAsDeleted } from './deletions.js';
import {
  type EqualTexts,
  type JudgedEvent,
  matchEgress,
  misattributed,
  type PlacedMessage,
} from './egress-groups.js';
import { expiryFindings } from './expiry.js';
import { AFTERMATH_MS, LEASE_BREAKING } from '../fault.js';
import { type Facts, type OutcomeFact } from '../facts.js';
import { judgeLatency } from './latency.js';
import { isReordered } from './redelivery.js';
import { isSetAside, mayHaveDiedInHand } from './set-aside.js';
import { isRefusedByStatus } from '../faults/status-refusals.js';
import { type CountName, type Finding } from './verdict.js';

export interface EgressAccount {
  readonly findings: readonly Finding[];
  readonly counts: Pick<
    Record<CountName, number>,
    | 'accepted'
    | 'standing'
    | 'unknown'
    | 'reordered by redelivery'
    | 'refused as deleted'
    | 'refused by status'
    | 'expired'
    | 'equal texts'
    | 'dead letters'
  >;
  /** See `Verdict`. */
  readonly healMs: readonly number[];
}

/** What an event may come to by the rules of the campaign. */
interface Judgement {
  /** Its message must stand whole. */
  readonly mustStand: boolean;
  /** Its message may stand. */
  readonly mayStand: boolean;
  readonly findings: readonly Finding[];
}

const GIVEN_UP: readonly EgressStatus[] = ['failed', 'expired', 'suppressed'];

/**
 * Accounts for everything that bots gave to the bus: it stands on its platform once, whole, in order, in
 * time, with one outcome.
 */
export function accountEgress(facts: Facts): EgressAccount {
  const { channels, findings: invented, groups } = matchEgress(facts);
  const findings: Finding[] = [...invented];
  const counts = { standing: 0, unknown: 0, deleted: 0, status: 0, expired: 0, equal: 0 };
  const messageTimes = new Map<JudgedEvent, number>();
  for (const message of channels.flat()) {
    if (message.event !== undefined) messageTimes.set(message.event, message.wallTime - facts.startedAt);
  }
  for (const group of groups) {
    if (group.events.length > 1) counts.equal += group.events.length;
    const judged = group.events.map((event) => judge(event, facts, counts));
    findings.push(...judged.flatMap((judgement) => judgement.findings));
    findings.push(...misattributed(group), ...standingFindings(group, judged));
    counts.standing += Math.min(...copiesOf(group), judged.filter(({ mayStand }) => mayStand).length);
    for (const event of group.events) {
      findings.push(...expiryFindings(event, group.messages, facts));
    }
  }
  const order = judgeOrder(channels, facts);
  const latency = judgeLatency(
    groups.flatMap((group) => group.events).sort((a, b) => a.index - b.index),
    messageTimes,
    facts,
  );
  return {
    findings: [...findings, ...order.findings, ...latency.findings],
    counts: {
      accepted: facts.accepted.length,
      standing: counts.standing,
      unknown: counts.unknown,
      'reordered by redelivery': order.reordered,
      'refused as deleted': counts.deleted,
      'refused by status': counts.status,
      expired: counts.expired,
      'equal texts': counts.equal,
      'dead letters': facts.deadLetters.length,
    },
    healMs: latency.healMs,
  };
}

/** Judges the outcomes of one event. */
function judge(
  event: JudgedEvent,
  facts: Facts,
  counts: { unknown: number; deleted: number; status: number; expired: number },
): Judgement {
  const { outcomes, token } = event;
  const findings: Finding[] = [...repeatedOutcomes(event, facts)];
  const add = (kind: Finding['kind'], detail: string): void =>
    void findings.push({ kind, detail: `${token}: ${detail}`, keys: [event.id, token] });
  const isUnknown = outcomes.some(({ status }) => status === 'unknown');
  const given = outcomes.filter(({ status }) => GIVEN_UP.includes(status));
  const canBeUnknown = facts.promises.get(event.platform)?.outbound === 'unknown';
  if (isUnknown) counts.unknown += 1;
  if (isUnknown && !hasCause(event, outcomes, facts))
    add('egress unknown without cause', 'nothing had gone wrong');
  const isExpired = given.some(({ status }) => status === 'expired');
  if (isExpired) counts.expired += 1;
  const isDeleted = given.length > 0 && isRefusedAsDeleted(event, given, facts);
  const isRefused = !isDeleted && given.length > 0 && isRefusedByStatus(event, given, facts);
  if (isDeleted) counts.deleted += 1;
  if (isRefused) counts.status += 1;
  const isLate = given.every(({ status }) => status === 'expired') && event.expiresAt !== undefined;
  if (event.isUnsendable === true) {
    if (outcomes.some(({ status }) => status === 'sent'))
      add('egress not refused', 'it was sent without its attachment');
    if (isUnknown && !mayHaveDiedInHand(event, facts))
      add('egress not refused', 'it is unknown, although nothing was sent');
    const isBuried = given.every(({ status }) => status !== 'failed') || facts.deadLetters.includes(event.id);
    if (!isBuried) add('egress not refused', 'it has failed without a dead letter');
  } else if (given.length > 0 && !isDeleted && !isRefused && !isLate) {
    add('egress given up', given.map(({ code, status }) => `${status} ${code ?? ''}`.trim()).join());
  }
  if (outcomes.length === 0) add('egress without outcome', 'no outcome was published');
  return {
    mustStand:
      event.isUnsendable !== true &&
      given.length === 0 &&
      !(isUnknown && (canBeUnknown || isTooLate(event) || isSetAside(event, facts))),
    mayStand: event.isUnsendable !== true && !(isExpired && outcomes.length === given.length),
    findings,
  };
}

/**
 * An event that has expired is looked for no more: whether an earlier try had arrived stays unknown, on any
 * platform.
 */
function isTooLate({ expiresAt = Infinity, outcomes }: JudgedEvent): boolean {
  return outcomes.some(({ occurredAt, status }) => status === 'unknown' && occurredAt >= expiresAt);
}

/**
 * One outcome for an event. The bus may bring it again where something was disturbed between it and its
 * repetition.
 */
function repeatedOutcomes({ id, outcomes, platform, token }: JudgedEvent, { troubles }: Facts): Finding[] {
  const [first, ...others] = outcomes;
  if (first === undefined) return [];
  return others.flatMap((other): Finding[] => {
    const isSame = other.status === first.status && other.messageIds.join() === first.messageIds.join();
    const isCaused = troubles.some(
      ({ from, lane, to }) =>
        [platform, 'state', ...LEASE_BREAKING].includes(lane) &&
        from <= other.at &&
        to + AFTERMATH_MS >= first.at,
    );
    // Who publishes an event again that was given up asks again, and is answered again: of one that has failed by what
    // became of the later try.
    const isAskedAgain = first.status === 'failed' && other.status !== 'sent';
    if (isAskedAgain || (isSame && (isCaused || GIVEN_UP.includes(other.status)))) return [];
    const detail = `${token}: ${first.status}, and later ${other.status}`;
    return [{ kind: 'egress outcome repeated', detail, keys: [id, token] }];
  });
}

/** How often each word of a text stands there. */
function copiesOf({ events, messages }: EqualTexts): readonly number[] {
  const copies = Array.from({ length: events[0]?.words ?? 0 }, () => 0);
  for (const { place } of messages.flatMap(({ words }) => words)) copies[place] = (copies[place] ?? 0) + 1;
  return copies;
}

/** So many copies as there are events that must stand, and no more than there are events that may. */
function standingFindings(group: EqualTexts, judged: readonly Judgement[]): Finding[] {
  const { events, messages } = group;
  const [first] = events;
  if (first === undefined) return [];
  const keys = [...events.map(({ id }) => id), first.token];
  const least = judged.filter(({ mustStand }) => mustStand).length;
  const most = judged.filter(({ mayStand }) => mayStand).length;
  const copies = copiesOf(group);
  const findings: Finding[] = [];
  const missing = copies.filter((count) => count < least).length;
  const tooMany = copies.filter((count) => count > most).length;
  if (tooMany > 0) {
    const detail = `${first.token}: ${tooMany} words stand more than ${most} times`;
    findings.push({ kind: 'egress doubled', detail, keys });
  }
  const places = messages.flatMap(({ words }) => words.map(({ place }) => place));
  if (tooMany === 0 && most === 1 && places.some((place, i) => i > 0 && place < (places[i - 1] ?? 0))) {
    findings.push({
      kind: 'egress out of order',
      detail: `${first.token}: its parts are out of order`,
      keys,
    });
  }
  if (missing > 0) {
    const detail = `${first.token}: ${missing} of ${copies.length} words stand less than ${least} times`;
    findings.push({ kind: 'egress missing', detail, keys });
  }
  return findings;
}

/**
 * Messages stand in the order in which their events were published, those aside that have no ordering key.
 */
function judgeOrder(
  channels: readonly (readonly PlacedMessage[])[],
  facts: Facts,
): { findings: Finding[]; reordered: number } {
  const findings: Finding[] = [];
  let reordered = 0;
  for (const messages of channels) {
    const events = new Set(messages.flatMap(({ event }) => (event === undefined ? [] : [event])));
    let last: JudgedEvent | undefined;
    for (const event of events) {
      // A line whose answer was lost may have been on its way for long.
      if (event.orderingKey === undefined || event.outcomes.some(({ status }) => status === 'unknown'))
        continue;
      if (last === undefined || event.index > last.index) {
        last = event;
      } else if (
        isReordered({ event, outcomes: event.outcomes }, { event: last, outcomes: last.outcomes }, facts)
      ) {
        reordered += 1;
      } else {
        const detail = `${event.token} stands behind ${last.token}, which was published later`;
        findings.push({
          kind: 'egress out of order',
          detail,
          keys: [event.id, event.token, last.id, last.token],
        });
      }
    }
  }
  return { findings, reordered };
}

/** Whether something went wrong that can have taken the platform's answer away. */
function hasCause(event: JudgedEvent, outcomes: readonly OutcomeFact[], { troubles }: Facts): boolean {
  const until = outcomes.at(-1)?.at ?? Infinity;
  return troubles.some(
    ({ from, lane, to }) =>
      (lane === event.platform || LEASE_BREAKING.includes(lane)) &&
      from <= until &&
      to + AFTERMATH_MS >= event.at,
  );
}
