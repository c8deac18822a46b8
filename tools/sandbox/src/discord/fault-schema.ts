import { z } from 'zod';
import { delayMs, limits, pattern, status } from '../fault-fields.js';

/** A close code that may stand in a frame (RFC 6455, 7.4). */
const closeCode = z
  .int()
  .refine(
    (code) =>
      (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000),
    { error: 'expected a close code that a server may send: 1000 to 1003, 1007 to 1014, or 3000 to 4999' },
  );

/** Faults that act once, on the gateway's sockets and sessions of this moment. */
export const momentaryFaultSchema = z.discriminatedUnion('kind', [
  /** Ends the sockets: without a close frame (`reset`), or with one. The sessions stay. */
  z.strictObject({
    kind: z.literal('drop'),
    how: z.enum(['reset', 'close']).default('reset'),
    closeCode: closeCode.default(4000),
  }),
  /** Op 7. */
  z.strictObject({ kind: z.literal('reconnect') }),
  /** Op 9. Not resumable ends the sessions. */
  z.strictObject({ kind: z.literal('invalid-session'), resumable: z.boolean().default(false) }),
  /** Forgets the sessions without a word; the next RESUME finds nothing. The sockets are reset. */
  z.strictObject({ kind: z.literal('lose-sessions') }),
  /** Stops answering and listening on the open sockets, which stay open. */
  z.strictObject({ kind: z.literal('half-open') }),
  /** Sends bytes that the platform would never send, as one WebSocket message, or (`tcp`) below the WebSocket. */
  z.strictObject({
    kind: z.literal('raw'),
    as: z.enum(['text', 'binary', 'tcp']),
    base64: z.base64(),
  }),
  /** Sets what is left of the day's IDENTIFYs. */
  z.strictObject({ kind: z.literal('session-starts'), remaining: z.int().min(0) }),
]);

/** Faults that stay armed until their limit is reached or they are healed. */
export const armedFaultSchema = z.discriminatedUnion('kind', [
  /** Refuses new connections: resets the TCP connection, answers with an HTTP status, or never answers. */
  z.strictObject({
    kind: z.literal('refuse-connections'),
    target: z.enum(['gateway', 'rest', 'both']).default('gateway'),
    how: z.enum(['reset', 'http', 'silence']).default('reset'),
    status: status.default(503),
    ...limits,
  }),
  /** Accepts sockets and says nothing. */
  z.strictObject({ kind: z.literal('no-hello'), ...limits }),
  /** Leaves heartbeats unanswered; events still flow. */
  z.strictObject({ kind: z.literal('no-heartbeat-ack'), ...limits }),
  /**
   * Outage of a guild, or of all: GUILD_DELETE with `unavailable` now, READY without GUILD_CREATE later. Its messages are kept from the
   * bot. The end of the fault brings GUILD_CREATE.
   */
  z.strictObject({ kind: z.literal('guild-outage'), guildId: z.string().optional() }),
  /** READY names this address for RESUME. */
  z.strictObject({ kind: z.literal('resume-url'), url: z.string(), ...limits }),
  /** Ends the connection right after READY. The session stays unless `loseSession`. */
  z.strictObject({
    kind: z.literal('drop-after-ready'),
    closeCode: closeCode.default(4000),
    loseSession: z.boolean().default(false),
    ...limits,
  }),
  /** Answers IDENTIFY or RESUME with a close code, or with op 9. */
  z.strictObject({
    kind: z.literal('refuse-session'),
    on: z.enum(['identify', 'resume', 'both']).default('both'),
    how: z.enum(['close', 'invalid-session']).default('close'),
    closeCode: closeCode.default(4000),
    resumable: z.boolean().default(false),
    ...limits,
  }),
  /** Acts on REST requests: slow, refused, rate limited, or executed with the answer lost. */
  z.strictObject({
    kind: z.literal('request'),
    operation: z.string().min(1).optional(),
    method: z.string().toUpperCase().optional(),
    path: pattern.optional(),
    delayMs: delayMs.optional(),
    status: status.optional(),
    code: z.int().optional(),
    message: z.string().optional(),
    /** With status 429: where the delay stands. `bare` has no header and no JSON, as Discord's outer proxy answers. */
    rateLimit: z.enum(['headers', 'retry-after', 'body', 'bare']).default('headers'),
    retryAfterMs: delayMs.default(1_000),
    scope: z.enum(['user', 'global', 'shared']).default('user'),
    loseAnswer: z.enum(['drop', 'silence']).optional(),
    ...limits,
  }),
]);

/** Any fault that the sandbox can cause. */
export const faultSchema = z.discriminatedUnion('kind', [
  ...momentaryFaultSchema.options,
  ...armedFaultSchema.options,
]);

/** A fault as a caller writes it: defaults may be left out. */
export type FaultInput = z.input<typeof faultSchema>;
/** A fault that acts once. */
export type MomentaryFault = z.infer<typeof momentaryFaultSchema>;
/** A fault that stays armed. */
export type ArmedFault = z.infer<typeof armedFaultSchema>;
/** The armed fault of one kind. */
export type ArmedFaultOf<K extends ArmedFault['kind']> = Extract<ArmedFault, { kind: K }>;
