import { z } from 'zod';
import { delayMs, limits, status } from '../fault-fields.js';

/** Whom it strikes: everybody when left out. */
const login = z.string().toLowerCase().optional();
/** Which messages it strikes: all when left out. */
const messages = { login, channel: z.string().toLowerCase().optional() };

/** Faults that act once, on what there is at this moment. */
export const momentaryFaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('drop'),
    how: z.enum(['reset', 'close']).default('reset'),
    closeCode: z.int().min(1000).max(4999).default(1001),
    login,
  }),
  /** RECONNECT: Twitch asks its clients to come again, and closes by itself a little later. */
  z.strictObject({ kind: z.literal('reconnect'), closeAfterMs: delayMs.optional(), login }),
  /** Access tokens end. Open connections stay, as they do at Twitch until they are opened again. */
  z.strictObject({
    kind: z.literal('expire-tokens'),
    /** Also ends the refresh tokens, as a user does who disconnects the application. */
    refreshTokens: z.boolean().default(false),
    login,
  }),
]);

/** Faults that stay armed until their limit is reached or they are healed. */
export const armedFaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('refuse-connections'),
    how: z.enum(['reset', 'http', 'silence']).default('reset'),
    status: status.default(503),
    ...limits,
  }),
  /** New connections are accepted and read, and nothing is ever answered. */
  z.strictObject({
    kind: z.literal('silent'),
    openConnections: z.boolean().default(false),
    ...limits,
  }),
  /** Open connections neither read nor write any more, while TCP stays up. */
  z.strictObject({
    kind: z.literal('half-open'),
    newConnections: z.boolean().default(false),
    login,
    ...limits,
  }),
  z.strictObject({
    kind: z.literal('login-failure'),
    text: z.string().min(1).default('Login authentication failed'),
    login,
    ...limits,
  }),
  z.strictObject({ kind: z.literal('no-pong'), login, ...limits }),
  /** The message is neither taken nor refused. */
  z.strictObject({ kind: z.literal('swallow-message'), ...messages, ...limits }),
  /** The message is not taken, and a NOTICE says so. */
  z.strictObject({
    kind: z.literal('refuse-message'),
    msgId: z.string().min(1),
    text: z.string().min(1).optional(),
    ...messages,
    ...limits,
  }),
  /** The JOIN is not answered, as for a channel that does not exist. */
  z.strictObject({ kind: z.literal('swallow-join'), ...messages, ...limits }),
  /** The client is not let into the channel, and a NOTICE says why. */
  z.strictObject({
    kind: z.literal('refuse-join'),
    msgId: z.string().min(1).default('msg_channel_suspended'),
    text: z.string().min(1).optional(),
    ...messages,
    ...limits,
  }),
  /** The message stands in the channel, but its sender does not get to know. */
  z.strictObject({
    kind: z.literal('lose-ack'),
    how: z.enum(['silence', 'drop']).default('silence'),
    ...messages,
    ...limits,
  }),
  z.strictObject({ kind: z.literal('delay-ack'), delayMs, ...messages, ...limits }),
  /** A request to the token or user endpoints. */
  z.strictObject({
    kind: z.literal('request'),
    endpoint: z.enum(['token', 'validate', 'revoke', 'users']).optional(),
    status: status.optional(),
    /** The body as it stands, whether it makes sense or not; with status 200 unless another is given. */
    body: z.string().optional(),
    delayMs: delayMs.optional(),
    /** The answer gets lost although the request was executed. */
    loseAnswer: z.boolean().default(false),
    ...limits,
  }),
]);

/** Any fault that the local Twitch can cause. */
export const twitchFaultSchema = z.discriminatedUnion('kind', [
  ...momentaryFaultSchema.options,
  ...armedFaultSchema.options,
]);

/** A fault as a caller writes it: defaults may be left out. */
export type TwitchFaultInput = z.input<typeof twitchFaultSchema>;
/** A fault that acts once. */
export type MomentaryFault = z.infer<typeof momentaryFaultSchema>;
/** A fault that stays armed. */
export type ArmedFault = z.infer<typeof armedFaultSchema>;
/** The armed fault of one kind. */
export type ArmedFaultOf<K extends ArmedFault['kind']> = Extract<ArmedFault, { kind: K }>;

/** Whether a fault with these filters is about a message of this sender in this channel. */
export function concerns(
  fault: { readonly login?: string | undefined; readonly channel?: string | undefined },
  sender: string,
  channel: string,
): boolean {
  return (
    (fault.login === undefined || fault.login === sender) &&
    (fault.channel === undefined || fault.channel.replace(/^#/, '') === channel)
  );
}
