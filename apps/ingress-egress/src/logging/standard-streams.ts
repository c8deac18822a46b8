import { write } from 'node:fs';
import { Socket } from 'node:net';
import { BoundedOutput, type TextWriter } from './bounded-output.js';

/** Milliseconds before a write is tried again for which the system had no room. */
const AGAIN_MS = 50;

/** The standard output and error of the process. */
export interface StandardStreams {
  readonly stdout: BoundedOutput;
  readonly stderr: BoundedOutput;
  /** Lines that neither could take. */
  readonly dropped: number;
  /** Resolves when both have written what waits, or after `ms`. */
  flush(ms: number): Promise<void>;
  /** Ends the process after `flush`, with the code, or by SIGKILL where a write to a file or terminal is stuck. */
  exit(code: number, flushMs: number): Promise<never>;
}

/**
 * Takes over standard output and error, so that nothing that is written there can block the process, end it, or fill its
 * memory: neither the logger nor `console.*`, an SDK or a warning of Node.
 * @param onWarning gets warnings of Node, which Node itself would write with a blocking call
 */
export function guardStandardStreams(onWarning: (warning: Error) => void): StandardStreams {
  const { isPipe: isStdoutPipe, output: stdout } = guard(process.stdout, 1);
  const { isPipe: isStderrPipe, output: stderr } = guard(process.stderr, 2);
  process.removeAllListeners('warning');
  process.on('warning', onWarning);
  const flush = async (ms: number): Promise<void> => {
    await Promise.all([stdout.flush(ms), stderr.flush(ms)]);
  };
  return {
    stdout,
    stderr,
    get dropped() {
      return stdout.dropped + stderr.dropped;
    },
    flush,
    exit: async (code, flushMs) => {
      await flush(flushMs);
      // `exit` waits for the threads of the pool, and one that is stuck in a write never ends.
      const isStuck = (stdout.isBusy && !isStdoutPipe) || (stderr.isBusy && !isStderrPipe);
      if (isStuck) process.kill(process.pid, 'SIGKILL');
      process.exit(code);
    },
  };
}

interface Guarded {
  readonly output: BoundedOutput;
  /** Pipes and sockets do not block on Linux and macOS. Terminals are sockets to Node, but block. */
  readonly isPipe: boolean;
}

function guard(stream: NodeJS.WriteStream, fd: number): Guarded {
  // Errors arrive at the writer's callback. Without a listener, each would be an uncaught exception.
  stream.on('error', () => undefined);
  const isPipe = stream instanceof Socket && !stream.isTTY;
  const output = new BoundedOutput(isPipe ? writeTo(stream) : writeToDescriptor(fd));
  stream.write = (
    chunk: string | Uint8Array,
    encodingOrDone?: BufferEncoding | ((error?: Error) => void),
    done?: (error?: Error) => void,
  ): boolean => {
    output.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
    if (callback !== undefined) process.nextTick(callback);
    return true;
  };
  return { output, isPipe };
}

function writeTo(stream: NodeJS.WriteStream): TextWriter {
  const original = stream.write.bind(stream);
  return (text, done) => void original(text, done);
}

/** Files, devices and terminals: a thread of Node's pool writes, one write at a time. */
function writeToDescriptor(fd: number): TextWriter {
  let isInsideLine = false;
  return (text, done) => {
    // After a disk was full, the beginning of a line may be there already.
    const bytes = Buffer.from(isInsideLine ? `\n${text}` : text);
    const next = (offset: number): void => {
      write(fd, bytes, offset, bytes.length - offset, null, (error, count) => {
        if (error?.code === 'EAGAIN' || error?.code === 'EINTR') {
          setTimeout(next, AGAIN_MS, offset).unref();
        } else if (error !== null) {
          isInsideLine ||= offset > 0;
          done(error);
        } else if (offset + count < bytes.length) {
          next(offset + count);
        } else {
          isInsideLine = false;
          done();
        }
      });
    };
    next(0);
  };
}
