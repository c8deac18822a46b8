import { invalidParameter } from '../api-error.js';
import { type Conversation } from '../model/records.js';
import { type RestCall } from './rest-call.js';

/** States that a conversation may have. */
const STATES = ['active', 'inactive', 'closed', 'initializing'];

/**
 * The conversations that `StartDate`, `EndDate` and `State` of the query leave, as Twilio's REST reference says: a filter by
 * date sorts by the time of creation, the newest first. Throws `ApiError` 400 for a date or state that there is not.
 */
export function selectConversations(call: RestCall): readonly Conversation[] {
  const from = timeIn(call, 'StartDate');
  const to = timeIn(call, 'EndDate');
  const state = call.query('State');
  if (state !== undefined && !STATES.includes(state)) {
    throw invalidParameter(`State must be one of ${STATES.join(', ')}.`);
  }
  const all = call.model.conversations().filter((each) => state === undefined || each.state === state);
  if (from === undefined && to === undefined) return all;
  return all
    .filter(({ dateCreated }) => {
      const created = Date.parse(dateCreated);
      return created >= (from ?? -Infinity) && created <= (to ?? Infinity);
    })
    .reverse();
}

function timeIn(call: RestCall, name: string): number | undefined {
  const text = call.query(name);
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw invalidParameter(`${name} must be a time like 2026-01-31T00:00:00Z.`);
  return time;
}
