/** A stream that a command writes to. */
interface CommandStream {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/**
 * Lets a command finish, with its own exit code, when nobody reads its output any more (`| head`). Node reports that as
 * an `error` event with EPIPE, which would end the process with a stack trace. Any other error is thrown.
 */
export function outliveClosedPipes(...streams: readonly CommandStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
