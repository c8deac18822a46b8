import { z } from 'zod';
import { parseJson } from '../../json.js';

/** Largest frame that a client may send, in bytes ("Gateway: Sending Events"). */
export const MAX_FRAME_BYTES = 4_096;

/** Gateway opcodes ("Gateway Opcodes"). */
export const opcodes = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presenceUpdate: 3,
  voiceStateUpdate: 4,
  resume: 6,
  reconnect: 7,
  requestGuildMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

/** Close codes that a server of Discord sends ("Gateway Close Event Codes"). */
export const closeCodes = {
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSequence: 4007,
  rateLimited: 4008,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  invalidVersion: 4012,
} as const;

/** The close codes after which a session cannot be resumed. */
export const terminalCloseCodes: ReadonlySet<number> = new Set([4004, 4010, 4011, 4012, 4013, 4014]);

const identifySchema = z.object({
  token: z.string(),
  intents: z.number(),
  properties: z.record(z.string(), z.unknown()),
  shard: z.tuple([z.int(), z.int()]).optional(),
});
const resumeSchema = z.object({ token: z.string(), session_id: z.string(), seq: z.int() });
const frameSchema = z.object({ op: z.int(), d: z.unknown().optional() });

/** IDENTIFY's data. */
export type Identify = z.infer<typeof identifySchema>;
/** RESUME's data. */
export type Resume = z.infer<typeof resumeSchema>;

/** What a client says, or the close code that answers it. */
export type ClientFrame =
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'identify'; readonly data: Identify }
  | { readonly kind: 'resume'; readonly data: Resume }
  | { readonly kind: 'members'; readonly data: unknown }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'fault'; readonly closeCode: number; readonly reason: string };

/** Reads a frame. Never throws. */
export function readClientFrame(text: string): ClientFrame {
  if (Buffer.byteLength(text) > MAX_FRAME_BYTES) return decodeError();
  const frame = frameSchema.safeParse(parseJson(text));
  if (!frame.success) return decodeError();
  const { op, d } = frame.data;
  switch (op) {
    case opcodes.heartbeat:
      return { kind: 'heartbeat' };
    case opcodes.identify: {
      const data = identifySchema.safeParse(d);
      return data.success ? { kind: 'identify', data: data.data } : decodeError();
    }
    case opcodes.resume: {
      const data = resumeSchema.safeParse(d);
      return data.success ? { kind: 'resume', data: data.data } : decodeError();
    }
    case opcodes.requestGuildMembers:
      return { kind: 'members', data: d };
    case opcodes.presenceUpdate:
    case opcodes.voiceStateUpdate:
      return { kind: 'ignored' };
    default:
      return { kind: 'fault', closeCode: closeCodes.unknownOpcode, reason: 'Unknown opcode' };
  }
}

function decodeError(): ClientFrame {
  return { kind: 'fault', closeCode: closeCodes.decodeError, reason: 'Error while decoding payload' };
}
