import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomUUID } from 'node:crypto';

import { type ClockSetting } from './true-time.js';

/** How clock and disk of the service's process are. */
export interface Injection {
  /** Milliseconds by which its clock is ahead of the true one. */
  readonly clockMs: number;
  /** Milliseconds that each access to a file takes longer. */
  readonly diskMs: number;
}

const HEALTHY: Injection = { clockMs: 0, diskMs: 0 };

/** Lets clock and disk lie to the service's processes, those to come included: by a module that Node loads before the service. */
export class Injector {
  readonly #file = join(tmpdir(), `campaign-injection-${randomUUID()}.json`);
  #present = HEALTHY;
  readonly #clock: ClockSetting[] = [];

  constructor() {
    this.set(HEALTHY);
  }

  /** How the clock was set, oldest first. */
  get clock(): readonly ClockSetting[] {
    return this.#clock;
  }

  /** For Node, before the service's entry. @param module path of `injector.mjs` */
  nodeArguments(module: string): readonly string[] {
    const url = pathToFileURL(module);
    url.searchParams.set('control', this.#file);
    return ['--import', url.href];
  }

  /** Changes what is named, within a few hundredths of a second. */
  set(change: Partial<Injection>): void {
    this.#present = { ...this.#present, ...change };
    const { clockMs } = this.#present;
    if (this.#clock.at(-1)?.clockMs !== clockMs) this.#clock.push({ from: Date.now(), clockMs });
    writeFileSync(this.#file, JSON.stringify(this.#present));
  }

  /** Everything is as it should be again. */
  heal(): void {
    this.set(HEALTHY);
  }

  close(): void {
    rmSync(this.#file, { force: true });
  }
}
