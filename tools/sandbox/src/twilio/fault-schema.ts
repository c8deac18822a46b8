import { z } from 'zod';
import { delayMs, limits, pattern, status } from '../fault-fields.js';

/** Faults that act once, on the sockets that are open at this moment. */
export const momentaryFaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('drop'),
    how: z.enum(['reset', 'close']).default('reset'),
    closeCode: z.int().min(1000).max(4999).default(1012),
    replay: z.boolean().default(true),
    identity: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('close-frame'),
    status: z.int().min(300).max(599),
    reconnectMinMs: delayMs.optional(),
    identity: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('token-about-to-expire'), identity: z.string().optional() }),
  /** Sends bytes that the platform would never send, as one WebSocket message, or (`tcp`) below the WebSocket. */
  z.strictObject({
    kind: z.literal('raw'),
    as: z.enum(['text', 'binary', 'tcp']),
    base64: z.base64(),
    identity: z.string().optional(),
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
  z.strictObject({
    kind: z.literal('refuse-token'),
    on: z.enum(['init', 'update', 'both']).default('both'),
    status: status.default(401),
    code: z.int().default(20104),
    reconnectMinMs: delayMs.optional(),
    ...limits,
  }),
  z.strictObject({
    kind: z.literal('token-life'),
    seconds: z.int().min(1).max(86_400),
    warns: z.boolean().default(true),
    ...limits,
  }),
  z.strictObject({
    kind: z.literal('half-open'),
    newConnections: z.boolean().default(false),
    identity: z.string().optional(),
    ...limits,
  }),
  z.strictObject({
    kind: z.literal('request'),
    target: z.enum(['tunnel', 'rest', 'media']),
    operation: z.string().min(1).optional(),
    method: z.string().toUpperCase().optional(),
    path: pattern.optional(),
    delayMs: delayMs.optional(),
    status: status.optional(),
    code: z.int().optional(),
    retryAfterSeconds: z.int().min(0).optional(),
    loseAnswer: z.enum(['drop', 'silence']).optional(),
    ...limits,
  }),
  z.strictObject({
    kind: z.literal('lose-push'),
    events: z.array(z.string()).min(1).default(['list_item_added']),
    object: pattern.optional(),
    replay: z.boolean().default(true),
    ...limits,
  }),
  z.strictObject({ kind: z.literal('no-replay'), ...limits }),
  z.strictObject({
    kind: z.literal('webhook'),
    action: z.enum(['lose', 'delay', 'duplicate']),
    event: z.string().optional(),
    delayMs: delayMs.default(1_000),
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
