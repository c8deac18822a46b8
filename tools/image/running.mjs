// @ts-check
// Processes that are started, watched and ended.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const WAIT_MS = 60_000;
const POLL_MS = 10;

/** What went wrong, for whoever runs the check. */
export class Failure extends Error {}

/** @returns {Promise<number>} a port that is free */
export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Failure('no free port');
  return address.port;
}

/**
 * Waits for a condition. Fails at once when the process that should bring it about has ended.
 * @template T
 * @param {string} what
 * @param {Running} running
 * @param {() => T | undefined | Promise<T | undefined>} probe
 */
export async function until(what, running, probe) {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    const { exit } = running;
    if (exit !== undefined)
      throw new Failure(`${running.name} ended with ${exit} before ${what}:\n${running.output}`);
    if (performance.now() > deadline) {
      throw new Failure(`no ${what} within ${WAIT_MS / 1_000} s. ${running.name} wrote:\n${running.output}`);
    }
    await pause(POLL_MS);
  }
}

/** @typedef {ReturnType<typeof start>} Running */

/**
 * @param {string} name
 * @param {readonly string[]} command
 * @param {{ env: Record<string, string | undefined>, cwd: string }} options
 */
export function start(name, command, options) {
  const [program = '', ...parameters] = command;
  const child = spawn(program, parameters, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const running = {
    name,
    child,
    output: '',
    /** @type {string | undefined} exit code or signal */
    exit: undefined,
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (running.output += text));
  }
  child.on('error', (error) => (running.exit = error.message));
  child.on('exit', (code, signal) => (running.exit = String(code ?? signal)));
  return running;
}

/** @param {Running} running @returns {Promise<number>} milliseconds until it ended */
export async function terminate(running) {
  const startedAt = performance.now();
  running.child.kill('SIGTERM');
  // Its end is what is waited for here.
  await until('end after SIGTERM', { ...running, exit: undefined }, () => running.exit);
  return performance.now() - startedAt;
}
