import { type Message } from './records.js';
import { compareSnowflakes } from './snowflake.js';

/** Which part of a channel is asked for. At most one of the three is looked at: around, before, after, as listed. */
export interface HistoryQuery {
  readonly limit: number;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly around?: string | undefined;
}

/**
 * A page of a channel's history, newest first, as Discord's "Get Channel Messages".
 *
 * `after` gives the messages that follow directly, not the newest of all. @param messages oldest first.
 */
export function selectHistory(messages: readonly Message[], query: HistoryQuery): readonly Message[] {
  const { limit, before, after, around } = query;
  return [...selectAscending(messages, limit, { before, after, around })].reverse();
}

function selectAscending(
  messages: readonly Message[],
  limit: number,
  { before, after, around }: Omit<HistoryQuery, 'limit'>,
): readonly Message[] {
  if (around !== undefined) {
    const middle = messages.findIndex(({ id }) => compareSnowflakes(id, around) >= 0);
    const start = Math.max(0, (middle === -1 ? messages.length : middle) - Math.floor(limit / 2));
    return messages.slice(start, start + limit);
  }
  if (before !== undefined) {
    return messages.filter(({ id }) => compareSnowflakes(id, before) < 0).slice(-limit);
  }
  if (after !== undefined) {
    return messages.filter(({ id }) => compareSnowflakes(id, after) > 0).slice(0, limit);
  }
  return messages.slice(-limit);
}
