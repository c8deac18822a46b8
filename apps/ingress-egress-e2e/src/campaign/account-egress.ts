import { type EgressStatus } from '@bitbrat/envelope';
import { isRefusedAsDeleted } from './deletions.js';
import { LEASE_BREAKING } from './fault.js';
import { type AcceptedFact, type Facts, type OutcomeFact } from './facts.js';
import { isReordered, type SettledEvent } from './redelivery.js';
import { type CountName, type Finding } from './verdict.js';
import { type Word } from './words.js';

export interface EgressAccount {
  readonly findings: readonly Finding[];
  readonly counts: Pick<
    Record<CountName, number>,
    'accepted' | 'standing' | 'unknown' | 'reordered by redelivery' | 'refused as deleted' | 'dead letters'
  >;
}

const GIVEN_UP: readonly EgressStatus[] = ['failed', 'expired', 'suppressed'];

/** Accounts for everything that bots gave to the bus: it stands on its platform once, whole, in order, with an outcome. */
export function accountEgress(facts: Facts): EgressAccount {
  const outcomes = byEvent(facts.outcomes);
  const byToken = new Map(facts.accepted.map((fact, place) => [fact.token, { ...fact, place }]));
  const findings: Finding[] = [];
  const counts = { accepted: facts.accepted.length, standing: 0, unknown: 0, reordered: 0, refused: 0 };
  const places = collect(facts, byToken, findings);
  const settled = (event: AcceptedFact): SettledEvent => ({ event, outcomes: outcomes.get(event.id) ?? [] });
  for (const event of facts.accepted) {
    const found = places.get(event.token) ?? [];
    const own = outcomes.get(event.id) ?? [];
    const mayBeUnknown = facts.promises.get(event.platform)?.outbound === 'unknown';
    const unknown = isUnknown(own);
    if (unknown) counts.unknown += 1;
    if (unknown && !hasCause(event, own, facts)) {
      const detail = `${event.token}: nothing had gone wrong`;
      findings.push({ kind: 'egress unknown without cause', detail, keys: [event.id, event.token] });
    }
    if (isWhole(found, event)) counts.standing += 1;
    const givenUp = own.filter(({ status }) => GIVEN_UP.includes(status));
    const isRefused = givenUp.length > 0 && isRefusedAsDeleted(event, givenUp, facts);
    if (isRefused) counts.refused += 1;
    findings.push(...judge(event, found, own, mayBeUnknown && unknown, isRefused));
  }
  for (const words of [...facts.standing.values()].flatMap((byDestination) => [...byDestination.values()])) {
    // A line whose answer was lost may have been on its way for long.
    const sequence = [...new Set(words.map(({ token }) => token))].flatMap((token) => {
      const fact = byToken.get(token);
      return fact === undefined || isUnknown(outcomes.get(fact.id)) ? [] : [fact];
    });
    let last: (AcceptedFact & { place: number }) | undefined;
    for (const event of sequence) {
      if (last === undefined || event.place > last.place) {
        last = event;
      } else if (isReordered(settled(event), settled(last), facts)) {
        counts.reordered += 1;
      } else {
        const detail = `${event.token} stands behind ${last.token}, which was published later`;
        const keys = [event.id, event.token, last.id, last.token];
        findings.push({ kind: 'egress out of order', detail, keys });
      }
    }
  }
  return {
    findings,
    counts: {
      accepted: counts.accepted,
      standing: counts.standing,
      unknown: counts.unknown,
      'reordered by redelivery': counts.reordered,
      'refused as deleted': counts.refused,
      'dead letters': facts.deadLetters.length,
    },
  };
}

/** The places of each event's words where they belong; what stands anywhere else was invented. */
function collect(
  facts: Facts,
  byToken: ReadonlyMap<string, AcceptedFact>,
  findings: Finding[],
): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [platform, byDestination] of facts.standing) {
    for (const [destination, words] of byDestination) {
      for (const { place, token } of words) {
        const event = byToken.get(token);
        if (event?.platform === platform && event.destination === destination) {
          const known = places.get(token);
          if (known === undefined) places.set(token, [place]);
          else known.push(place);
        } else {
          const detail = `${token} stands in ${destination} of ${platform}, where nobody sent it`;
          findings.push({ kind: 'egress invented', detail, keys: [token] });
        }
      }
    }
  }
  return places;
}

function judge(
  event: AcceptedFact,
  places: readonly number[],
  outcomes: readonly OutcomeFact[],
  mayBeMissing: boolean,
  isRefused: boolean,
): Finding[] {
  const keys = [event.id, event.token];
  const finding = (kind: Finding['kind'], detail: string): Finding => ({ kind, detail, keys });
  const findings: Finding[] = [];
  const distinct = new Set(places).size;
  if (places.length > distinct) {
    findings.push(
      finding('egress doubled', `${event.token}: ${places.length - distinct} words stand more than once`),
    );
  } else if (places.some((place, i) => i > 0 && place < (places[i - 1] ?? 0))) {
    findings.push(finding('egress out of order', `${event.token}: its parts are out of order`));
  }
  const settled = outcomes.filter(({ status }) => status === 'sent' || status === 'unknown');
  const given = outcomes.filter(({ status }) => GIVEN_UP.includes(status));
  if (given.length > 0) {
    const what = given.map(({ code, status }) => `${status} ${code ?? ''}`.trim()).join();
    if (!isRefused) findings.push(finding('egress given up', `${event.token}: ${what}`));
  } else if (settled.length === 0) {
    findings.push(finding('egress without outcome', `${event.token}: no outcome was published`));
  }
  if (distinct < event.words && !mayBeMissing && given.length === 0) {
    findings.push(
      finding(
        'egress missing',
        `${event.token}: ${event.words - distinct} of ${event.words} words are missing`,
      ),
    );
  }
  return findings;
}

function byEvent(outcomes: readonly OutcomeFact[]): Map<string, OutcomeFact[]> {
  const groups = new Map<string, OutcomeFact[]>();
  for (const outcome of outcomes) {
    const group = groups.get(outcome.eventId);
    if (group === undefined) groups.set(outcome.eventId, [outcome]);
    else group.push(outcome);
  }
  return groups;
}

function isUnknown(outcomes: readonly OutcomeFact[] = []): boolean {
  return outcomes.some(({ status }) => status === 'unknown');
}

function isWhole(places: readonly Word['place'][], { words }: AcceptedFact): boolean {
  return new Set(places).size === words;
}

/** Milliseconds after which a fault that was over at once has been noticed: a half-open connection takes longest. */
const AFTERMATH_MS = 30_000;

/** Whether something went wrong that can have taken the platform's answer away. */
function hasCause(event: AcceptedFact, outcomes: readonly OutcomeFact[], { troubles }: Facts): boolean {
  const until = outcomes.at(-1)?.at ?? Infinity;
  return troubles.some(
    ({ from, lane, to }) =>
      (lane === event.platform || LEASE_BREAKING.includes(lane)) &&
      from <= until &&
      to + AFTERMATH_MS >= event.at,
  );
}
