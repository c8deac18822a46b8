import { Socket } from 'node:net';
import { type Duplex } from 'node:stream';

/**
 * Ends a connection at once, by a TCP reset where that can be. One whose end is on its way just ends: Node loses the handle of a
 * socket that is reset between its `end()` and its `finish`, and then the process never exits (Node 20.20.2: `reset EINVAL`).
 */
export function resetConnection(connection: Duplex): void {
  const isEnding = connection.writableEnded && !connection.writableFinished;
  if (connection instanceof Socket && !isEnding) connection.resetAndDestroy();
  else connection.destroy();
}
