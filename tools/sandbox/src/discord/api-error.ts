import { type JsonObject, type JsonValue } from '../json.js';

/** A refusal in the shape of Discord's REST interface. */
export class ApiError extends Error {
  /**
   * @param status the HTTP status. @param code Discord's JSON error code; 0 is its general one.
   * @param fields what is wrong with which field, in Discord's nested form.
   */
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
    readonly fields?: JsonObject,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** The body as Discord writes it. */
  toBody(): JsonObject {
    return { message: this.message, code: this.code, errors: this.fields };
  }
}

/** One thing that is wrong with a form. */
export interface FieldFault {
  readonly path: readonly PropertyKey[];
  /** Discord's name of the fault, e.g. `BASE_TYPE_MAX_LENGTH`. */
  readonly code: string;
  readonly message: string;
}

/** "Invalid Form Body", 400/50035, with every fault under the field that it concerns. */
export function invalidForm(faults: readonly FieldFault[]): ApiError {
  return new ApiError(400, 50035, 'Invalid Form Body', nest(faults, 0));
}

function nest(faults: readonly FieldFault[], depth: number): JsonObject {
  const own = faults.filter(({ path }) => path.length === depth);
  const names = new Set(faults.flatMap(({ path }) => path.slice(depth, depth + 1).map(String)));
  const entries: [string, JsonValue][] = [...names].map((name) => [
    name,
    nest(
      faults.filter(({ path }) => path.length > depth && String(path[depth]) === name),
      depth + 1,
    ),
  ]);
  if (own.length > 0) entries.push(['_errors', own.map(({ code, message }) => ({ code, message }))]);
  return Object.fromEntries(entries);
}

/** 404/10003. */
export function unknownChannel(): ApiError {
  return new ApiError(404, 10003, 'Unknown Channel');
}

/** 404/10008. */
export function unknownMessage(): ApiError {
  return new ApiError(404, 10008, 'Unknown Message');
}

/** 404/10004. */
export function unknownGuild(): ApiError {
  return new ApiError(404, 10004, 'Unknown Guild');
}

/** 403/50001: the bot cannot see it. */
export function missingAccess(): ApiError {
  return new ApiError(403, 50001, 'Missing Access');
}

/** 403/50013: the bot sees it and may not do this. */
export function missingPermissions(): ApiError {
  return new ApiError(403, 50013, 'Missing Permissions');
}
