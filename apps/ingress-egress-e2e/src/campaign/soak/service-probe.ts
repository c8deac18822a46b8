import { type PubSubEmulator } from '@bitbrat/emulators';
import { waitUntil } from '../../support/wait-until.js';
import { type ServiceProcess } from '../machinery/service-process.js';
import { type Sample } from './sample.js';

const MIB = 2 ** 20;

/** Milliseconds: collecting and counting takes seconds where others use the machine, too. */
const ANSWER_TIMEOUT_MS = 60_000;

/** What `service-probe.mjs` writes. */
interface ProbeLine {
  readonly count: number;
  readonly error?: string;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly listeners: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

/** Measures the service's process, which must have been started with `service-probe.mjs`. */
export class ServiceProbe {
  /** Warnings of Node in the service's process, such as `MaxListenersExceededWarning`. */
  warnings: readonly string[] = [];
  #last: ProbeLine | undefined;

  /** Takes a line of the service's log. */
  onLog(line: Readonly<Record<string, unknown>>): void {
    if (line['message'] === 'probe') this.#last = line as unknown as ProbeLine; // the probe is ours
  }

  /** Collects the service's garbage and counts what it holds. @param messages written so far @param seconds since the soak began */
  async sample(
    service: ServiceProcess,
    emulator: PubSubEmulator,
    { messages, seconds }: Pick<Sample, 'messages' | 'seconds'>,
  ): Promise<Sample> {
    const rssMb = service.memoryMb;
    const before = this.#last;
    service.poke();
    const probe = (): ProbeLine | undefined => (this.#last === before ? undefined : this.#last);
    const line = await waitUntil('the probe in the service', probe, ANSWER_TIMEOUT_MS);
    if (line.error !== undefined) throw new Error(`the probe in the service failed: ${line.error}`);
    this.warnings = line.warnings;
    return {
      messages,
      seconds,
      rssMb,
      heapMb: line.heapUsed / MIB,
      buffersMb: line.arrayBuffers / MIB,
      resources: line.resources,
      listeners: line.listeners,
      topics: await countOf(emulator, 'topics'),
      subscriptions: await countOf(emulator, 'subscriptions'),
    };
  }
}

async function countOf(
  { host, projectId }: PubSubEmulator,
  kind: 'topics' | 'subscriptions',
): Promise<number> {
  const answer = await fetch(`http://${host}/v1/projects/${projectId}/${kind}?pageSize=1000`);
  const body = (await answer.json()) as Record<string, readonly unknown[] | undefined>; // Pub/Sub's REST interface
  return body[kind]?.length ?? 0;
}
