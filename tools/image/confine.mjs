// @ts-check
import { execFileSync } from 'node:child_process';

/** As in the Dockerfile. */
const USER_ID = '1000';

/**
 * The command with as little power as this machine lets us give it.
 * @param {readonly string[]} command
 * @param {string} folder
 */
export function confine(command, folder) {
  const drop = [
    'setpriv',
    `--reuid=${USER_ID}`,
    `--regid=${USER_ID}`,
    '--clear-groups',
    '--no-new-privs',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  const works = (/** @type {readonly string[]} */ [program = '', ...parameters]) => {
    try {
      execFileSync(program, parameters, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const readOnly = [
    'unshare',
    '--mount',
    'sh',
    '-ec',
    'mount --make-rprivate /; mount -o remount,bind,ro /; mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; if touch "$0/probe" 2>/dev/null; then exit 1; fi; exec "$@"',
    folder,
  ];
  const isRoot = process.getuid?.() === 0;
  const mayDrop = isRoot && works([...drop, 'true']);
  const mayMount = isRoot && works([...readOnly, 'true']);
  return {
    command: [...(mayMount ? readOnly : []), ...(mayDrop ? drop : []), ...command],
    user: mayDrop
      ? `${USER_ID}, no capabilities`
      : isRoot
        ? 'root (setpriv is missing here)'
        : 'the one that runs the check',
    fileSystem: mayMount ? 'read-only' : 'as it is (mounting needs root here)',
  };
}
