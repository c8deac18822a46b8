import { isDeletedUnread } from './deletions.js';
import { type Facts, type GapFact, type WrittenFact } from '../facts.js';
import { type CountName, type Finding } from './verdict.js';

/** Clocks of one machine, and the time that a message takes to a client, in milliseconds. */
const GAP_TOLERANCE_MS = 1_000;
/** The end of a gap is dated when it is told, which is a little after messages are heard again, in milliseconds. */
const GAP_END_MS = 3_000;

export interface IngressAccount {
  readonly findings: readonly Finding[];
  readonly counts: Pick<
    Record<CountName, number>,
    | 'written'
    | 'published'
    | 'repeats'
    | 'lost in reported gaps'
    | 'deleted unread'
    | 'gaps'
    | 'overtaken in a deploy'
  >;
}

/** Accounts for everything that people wrote: published, with its own id and text, and first in order per channel. */
export function accountIngress(facts: Facts): IngressAccount {
  const { gaps, published, written } = facts;
  const writtenById = new Map(written.map((fact, place) => [fact.id, { ...fact, place }]));
  const findings: Finding[] = [];
  const firsts = new Set<string>();
  const lastPlace = new Map<string, number>();
  let overtaken = 0;
  for (const [i, publication] of published.entries()) {
    const { channel, id } = publication;
    const source = writtenById.get(id);
    if (source === undefined) {
      findings.push({ kind: 'ingress invented', detail: `${id}: nobody wrote it`, keys: [id] });
      continue;
    }
    const keys = [id, source.token];
    if (publication.token !== source.token || channel !== source.channel) {
      const detail = `${id} has the text of ${publication.token ?? 'nobody'} in ${channel}`;
      findings.push({ kind: 'ingress changed', detail, keys });
    }
    if (firsts.has(id)) {
      if (facts.borders.some((border) => source.place < border.written && i >= border.published)) {
        const detail = `${source.token} was published again by a later run`;
        findings.push({ kind: 'ingress repeated by a later run', detail, keys });
      }
      continue;
    }
    firsts.add(id);
    const last = lastPlace.get(channel) ?? -1;
    lastPlace.set(channel, Math.max(last, source.place));
    if (source.place > last) continue;
    if (wasOverlapped(source, facts)) {
      overtaken += 1;
      continue;
    }
    const detail = `${source.token} was first published after ${written[last]?.token ?? ''} of the same channel`;
    findings.push({
      kind: 'ingress out of order',
      detail,
      keys: [...keys, ...keysOf(written[last])],
    });
  }
  const lostBy = new Map<string, number>();
  let deleted = 0;
  const heard = timesByChannel(written.filter(({ id }) => firsts.has(id)));
  for (const fact of written) {
    if (firsts.has(fact.id)) continue;
    const mayBeLost = facts.promises.get(fact.platform)?.inbound === 'gaps';
    if (mayBeLost && gaps.some((gap) => covers(gap, fact, firstHeardAgain(gap, facts), heard))) {
      lostBy.set(fact.platform, (lostBy.get(fact.platform) ?? 0) + 1);
      continue;
    }
    if (isDeletedUnread(fact, facts)) {
      deleted += 1;
      continue;
    }
    const detail = `${fact.token} in ${fact.channel} was never published`;
    findings.push({ kind: 'ingress missing', detail, keys: keysOf(fact) });
  }
  findings.push(...miscounted(gaps, lostBy));
  const lost = [...lostBy.values()].reduce((sum, count) => sum + count, 0);
  return {
    findings,
    counts: {
      written: written.length,
      published: firsts.size,
      repeats: published.length - firsts.size,
      'lost in reported gaps': lost,
      'deleted unread': deleted,
      gaps: gaps.length,
      'overtaken in a deploy': overtaken,
    },
  };
}

/** Two processes side by side both publish what they hear, each in order; the bus has whichever comes first. */
function wasOverlapped({ wallTime }: WrittenFact, { startedAt, troubles }: Facts): boolean {
  return troubles.some(
    ({ from, isOverlap, to }) =>
      isOverlap === true && wallTime >= startedAt + from && wallTime <= startedAt + to + GAP_END_MS,
  );
}

/** Where a platform's gaps all tell how many messages they have cost, it must be so many. */
function miscounted(gaps: readonly GapFact[], lostBy: ReadonlyMap<string, number>): Finding[] {
  const platforms = new Set(gaps.map(({ platform }) => platform));
  return [...platforms].flatMap((platform): Finding[] => {
    const told = gaps.filter((gap) => gap.platform === platform).map(({ lost }) => lost ?? NaN);
    const sum = told.reduce((total, count) => total + count, 0);
    const lost = lostBy.get(platform) ?? 0;
    if (Number.isNaN(sum) || sum === lost) return [];
    const detail = `${platform} has reported ${sum} lost messages, and ${lost} are missing`;
    return [{ kind: 'ingress loss miscounted', detail, keys: [] }];
  });
}

/**
 * The first moment, in milliseconds since 1970, at which a message may have been written that was heard after the gap. Who stood still when it
 * ended, told its end when it went on, and heard then what had been written meanwhile.
 */
function firstHeardAgain({ to }: GapFact, { startedAt, troubles }: Facts): number {
  const end = to - GAP_END_MS;
  const standstill = troubles.find(
    (trouble) =>
      trouble.isStandstill === true && startedAt + trouble.from <= to && startedAt + trouble.to >= end,
  );
  return standstill === undefined ? end : Math.min(end, startedAt + standstill.from - GAP_END_MS);
}

/**
 * What was heard between the message and the end of the gap shows that this gap had not begun, whatever it says. A gap that tells how many
 * messages it has cost is judged by their number: where a buffer is full, some find a place between others.
 */
function covers(
  gap: GapFact,
  { channel, platform, wallTime }: WrittenFact,
  heardAgainFrom: number,
  heard: ReadonlyMap<string, readonly number[]>,
): boolean {
  return (
    gap.platform === platform &&
    wallTime >= gap.from - GAP_TOLERANCE_MS &&
    wallTime <= gap.to + GAP_TOLERANCE_MS &&
    (gap.lost !== undefined || firstAfter(heard.get(channel) ?? [], wallTime) >= heardAgainFrom)
  );
}

/** When the messages of each channel were written, ascending. */
function timesByChannel(facts: readonly WrittenFact[]): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const { channel, wallTime } of facts) {
    const known = times.get(channel);
    if (known === undefined) times.set(channel, [wallTime]);
    else known.push(wallTime);
  }
  for (const known of times.values()) known.sort((a, b) => a - b);
  return times;
}

/** The first of ascending times that is later than the given one; Infinity where there is none. */
function firstAfter(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) > time) high = middle;
    else low = middle + 1;
  }
  return times[low] ?? Infinity;
}

function keysOf(fact: WrittenFact | undefined): string[] {
  return fact === undefined ? [] : [fact.id, fact.token];
}
