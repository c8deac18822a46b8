import { setTimeout as sleep } from 'node:timers/promises';
import { type ChatMessage, type ChatPlatform } from './chat-platform.js';

/** Milliseconds of one long poll, and before a sandbox that does not answer is asked again. */
const POLL_MS = 25_000;
const RETRY_MS = 1_000;

export interface FollowerEvents {
  /** In order; once per message. */
  readonly onMessage: (message: ChatMessage) => void;
  /** Once, until the sandbox answers again. */
  readonly onAway: (reason: string) => void;
}

/**
 * Reads a room until the signal is aborted. Never rejects. A sandbox that was away has forgotten the room: then it ends, and the
 * room may be followed again.
 */
export async function followRoom(
  platform: ChatPlatform,
  { cursor, room }: { readonly room: string; readonly cursor: string },
  { onAway, onMessage }: FollowerEvents,
  signal: AbortSignal,
): Promise<void> {
  let after = cursor;
  let failures = 0;
  const isEnded = (): boolean => signal.aborted;
  while (!isEnded()) {
    try {
      const messages = await platform.read(room, after, POLL_MS, signal);
      if (failures > 0) failures = 0;
      for (const message of messages) {
        after = message.cursor;
        onMessage(message);
      }
    } catch (error) {
      if (isEnded()) return;
      failures += 1;
      if (failures === 1) onAway(error instanceof Error ? error.message : String(error));
      const isGone = error instanceof Error && /answered 4\d\d/.test(error.message);
      if (isGone) return;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
