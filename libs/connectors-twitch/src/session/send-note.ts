import { z } from 'zod';
import { MAX_MUTE_MS } from '../outbound/silence.js';

/** One message that was put on its way. */
export interface NotedSend {
  /** Milliseconds since 1970, by the clock of the process that sent it. */
  readonly at: number;
  readonly channel: string;
  /** Names the part of an event; `''` where Twitch has refused it, so that it does not exist. */
  readonly nonce: string;
}

/** What one process has sent of late. */
export interface NotedProcess {
  readonly id: string;
  /** It was stopped and sends nothing any more. */
  readonly hasEnded: boolean;
  readonly sends: readonly NotedSend[];
}

/** What the processes that use the account tell each other. */
export interface SendNote {
  readonly processes: readonly NotedProcess[];
  /** Until when Twitch ignores the account, in milliseconds since 1970; 0: it does not. */
  readonly mutedUntil: number;
  /**
   * What was left of that when it was noted, in milliseconds, `MAX_MUTE_MS` at most: the bound for a process whose clock
   * says otherwise.
   */
  readonly mutedForMs: number;
}

/** The most processes and messages that are read; more of either is not ours. */
const MAX_PROCESSES = 32;
const MAX_SENDS = 1_000;

const time = z.number().nonnegative().max(8.64e15);
const noteSchema = z.object({
  processes: z
    .array(
      z.object({
        id: z.string().max(64),
        hasEnded: z.boolean(),
        sends: z.array(z.tuple([time, z.string().max(64), z.string().max(64)])).max(MAX_SENDS),
      }),
    )
    .max(MAX_PROCESSES),
  mutedUntil: time,
  mutedForMs: time.transform((ms) => Math.min(ms, MAX_MUTE_MS)),
});

/** Undefined for what is not a note. */
export function readSendNote(text: string): SendNote | undefined {
  const parsed = noteSchema.safeParse(toJson(text));
  if (!parsed.success) return undefined;
  const { mutedForMs, mutedUntil, processes } = parsed.data;
  return {
    mutedUntil,
    mutedForMs,
    processes: processes.map(({ sends, ...process }) => ({
      ...process,
      sends: sends.map(([at, channel, nonce]) => ({ at, channel, nonce })),
    })),
  };
}

export function writeSendNote({ mutedForMs, mutedUntil, processes }: SendNote): string {
  const rows = processes.slice(-MAX_PROCESSES).map(({ hasEnded, id, sends }) => ({
    id,
    hasEnded,
    sends: sends.slice(-MAX_SENDS).map(({ at, channel, nonce }) => [at, channel, nonce]),
  }));
  return JSON.stringify({ mutedUntil, mutedForMs, processes: rows });
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
