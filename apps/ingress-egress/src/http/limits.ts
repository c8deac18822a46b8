/** What one client, and all of them together, may take. Milliseconds and bytes. */
export interface HttpLimits {
  /** From the connection, or the end of the previous request, to the end of the headers. */
  readonly headersMs: number;
  /** The same to the end of the body. */
  readonly requestMs: number;
  /** How long an idle connection stays open. */
  readonly keepAliveMs: number;
  /** How long a client may read nothing of an answer. */
  readonly stalledMs: number;
  /** How often the limits above are checked. */
  readonly checkMs: number;
  /** How long a connection stays open after an answer to a request that was not read to its end. */
  readonly lingerMs: number;
  readonly headerBytes: number;
  /** Of one request. */
  readonly bodyBytes: number;
  /** Of the bodies of all requests at once. */
  readonly heldBytes: number;
  readonly connections: number;
  /** Requests of one connection that wait for their answers. */
  readonly pipelined: number;
}

/**
 * Twilio gives a webhook 15 s in all and sends a few KiB. Load balancers keep an idle connection for 60 s, and must be the
 * first to close it.
 */
export const HTTP_LIMITS: HttpLimits = {
  headersMs: 10_000,
  requestMs: 15_000,
  keepAliveMs: 65_000,
  stalledMs: 30_000,
  checkMs: 1_000,
  lingerMs: 1_000,
  headerBytes: 16_384,
  bodyBytes: 1_048_576,
  heldBytes: 33_554_432,
  connections: 1_000,
  pipelined: 32,
};
