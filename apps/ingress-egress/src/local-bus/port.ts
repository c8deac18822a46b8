/** The port of the emulator in the documentation of Google's clients. */
export const DEFAULT_BUS_PORT = 8_085;

/**
 * A port from the environment or the command line; empty means not set.
 * @param name of the variable or option, for the error
 * @throws Error that names it
 */
export function toPort(name: string, value: string | undefined, fallback: number, least: 0 | 1 = 1): number {
  const text = value?.trim() ?? '';
  if (text === '') return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= least && port <= 65_535) return port;
  throw new Error(`${name}: expected a port from ${least} to 65535`);
}

/**
 * Why a port cannot be had, and what to do; undefined for an error that is about something else.
 * @param ways to choose another port: `set BUS_PORT`
 */
export function portTrouble(error: unknown, port: number, ways: string): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `port ${port} is in use: stop what uses it, or ${ways} to choose another`;
  if (code === 'EACCES') return `port ${port} is not for this user: ${ways} to choose one from 1024`;
  return undefined;
}
