import { type JsonObject } from '../json.js';

/** A refusal that reaches the caller, over REST and through the socket alike. */
export class ApiError extends Error {
  /** @param status the HTTP status. @param code Twilio's error code. */
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** The body as Twilio writes it. */
  toBody(): JsonObject {
    return {
      status: this.status,
      code: this.code,
      message: this.message,
      more_info: `https://www.twilio.com/docs/errors/${this.code}`,
    };
  }
}

/** A parameter that is missing or wrong: 400, code 20001. */
export function invalidParameter(message: string): ApiError {
  return new ApiError(400, 20001, message);
}
