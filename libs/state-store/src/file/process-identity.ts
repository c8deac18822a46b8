import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { systemCodeOf } from './file-errors.js';

/** Tells one run of one process from all others, as far as the system lets us. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When it started, in the system's own terms; `unknown` where they cannot be had. */
  readonly start: string;
}

const UNKNOWN = 'unknown';

/** The identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return { host: hostname(), pid: process.pid, start: await startOf(process.pid) };
}

/** Whether the process still runs; undefined when it runs, or ran, on a host that we cannot look into. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean | undefined> {
  if (identity.host !== hostname()) return undefined;
  if (!exists(identity.pid)) return false;
  const start = await startOf(identity.pid);
  // A pid is given again, in a container nearly always: the service is number 1 at each start.
  return start === UNKNOWN || identity.start === UNKNOWN || start === identity.start;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) !== 'ESRCH';
  }
}

/** Linux: boot id and start in clock ticks since boot, field 22 of /proc/pid/stat (proc(5)). */
async function startOf(pid: number): Promise<string> {
  try {
    const [bootId, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The second field, the command, is in parentheses and may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    // Dead, and not yet collected by its parent.
    if (state === 'Z' || state === 'X') return 'ended';
    return ticks === undefined ? UNKNOWN : `${bootId.slice(0, 8)}-${ticks}`;
  } catch {
    return UNKNOWN;
  }
}
