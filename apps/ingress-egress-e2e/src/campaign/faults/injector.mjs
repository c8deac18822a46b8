// Loaded into the service's process by `--import`, so that clock and disk can lie to it without its knowing anything of it. What they do stands in
// the JSON file that the query of this module's URL names: `clockMs`, by which the clock is ahead, and `diskMs`, by which each access to a
// file takes longer.
import { readFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds between two looks at the file. */
const LOOK_MS = 20;

const control = new URL(import.meta.url).searchParams.get('control') ?? '';
const TrueDate = Date;
let state = { clockMs: 0, diskMs: 0 };

look();
setInterval(look, LOOK_MS).unref();

function LyingDate(...args) {
  if (new.target === undefined) return new LyingDate().toString();
  return Reflect.construct(TrueDate, args.length === 0 ? [LyingDate.now()] : args, new.target);
}
LyingDate.now = () => TrueDate.now() + state.clockMs;
LyingDate.prototype = TrueDate.prototype;
globalThis.Date = Object.setPrototypeOf(LyingDate, TrueDate);

for (const name of ['access', 'mkdir', 'open', 'readFile', 'rename', 'writeFile']) {
  const access = files[name];
  files[name] = async (...args) => {
    if (state.diskMs > 0) await delay(state.diskMs);
    return access(...args);
  };
}
syncBuiltinESMExports();

function look() {
  try {
    state = JSON.parse(readFileSync(control, 'utf8'));
  } catch {
    // It is being written.
  }
}
