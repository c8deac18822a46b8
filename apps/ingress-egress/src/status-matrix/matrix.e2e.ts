import { type Sandbox } from '@bitbrat/sandbox';
import { MatrixWorld, type WorldOptions } from './matrix-world.e2e.js';
import { type Phase, type Scenario } from './scenarios.e2e.js';

export type WireAnswer = Parameters<Sandbox['wire']['arm']>[0]['answer'];

/** One request of one phase, and what it gets instead of its answer. */
export interface Cell {
  readonly phase: Phase;
  readonly request: string;
  readonly answer: WireAnswer;
}

export interface MatrixResult {
  readonly cells: number;
  /** Cells in which the request did not come at all, so that nothing was tested. */
  readonly idle: number;
  readonly failures: readonly string[];
  /** Milliseconds of the slowest cell. */
  readonly slowestMs: number;
}

const BODIES = ['json', 'html', 'empty'] as const;
/** One of each class that a client may tell apart, and some that nobody lists. */
const SAMPLES = [
  400, 401, 403, 404, 408, 409, 410, 418, 422, 425, 429, 451, 499, 500, 502, 503, 504, 511, 599,
];
const BROKEN: readonly WireAnswer[] = [{ kind: 'cut' }, { kind: 'garbage' }];

function statusAnswer(status: number): WireAnswer {
  return { kind: 'status', status, body: BODIES[status % BODIES.length] ?? 'json' };
}

/** Every status from 400 to 599, a cut connection and garbage. */
export const ALL_ANSWERS: readonly WireAnswer[] = [
  ...BROKEN,
  ...Array.from({ length: 200 }, (_, index) => statusAnswer(400 + index)),
];

const CLASSES: readonly WireAnswer[] = [...BROKEN, ...SAMPLES.map(statusAnswer)];

export function nameOf({ phase, request, answer }: Cell): string {
  return `${phase}: ${request}: ${answer.kind === 'status' ? `${answer.status} ${answer.body}` : answer.kind}`;
}

/** Finds out which requests each phase makes. */
export async function findRequests(world: MatrixWorld): Promise<readonly Omit<Cell, 'answer'>[]> {
  const found: Omit<Cell, 'answer'>[] = [];
  for (const phase of world.scenario.phases) {
    for (const request of await world.requestsOf(phase)) found.push({ phase, request });
  }
  return found;
}

/** All answers for each request, or `perRequest` of the distinct classes; those of the next request go on where the last ended. */
export function cellsOf(
  requests: readonly Omit<Cell, 'answer'>[],
  perRequest: number | undefined,
  seed: number,
): readonly Cell[] {
  if (perRequest === undefined) {
    return requests.flatMap((request) => ALL_ANSWERS.map((answer) => ({ ...request, answer })));
  }
  let next = seed;
  return requests.flatMap((request) =>
    Array.from({ length: perRequest }, () => {
      next += 1;
      return { ...request, answer: CLASSES[next % CLASSES.length] ?? { kind: 'cut' } };
    }),
  );
}

/** Runs the cells of one platform, in `lanes` worlds side by side. */
export async function runMatrix(
  scenario: Scenario,
  options: {
    readonly perRequest: number | undefined;
    readonly seed: number;
    readonly lanes: number;
    /** Part of the names of the cells that are run; all of them when empty. */
    readonly only: string;
    readonly world: WorldOptions;
    readonly onWorld: (world: MatrixWorld) => void;
    readonly onCell: (name: string, ms: number, fault: string | undefined) => void;
  },
): Promise<MatrixResult> {
  const open = async (): Promise<MatrixWorld> => {
    const world = await MatrixWorld.create(scenario, options.world);
    options.onWorld(world);
    return world;
  };
  const first = await open();
  const cells = cellsOf(await findRequests(first), options.perRequest, options.seed).filter((cell) =>
    nameOf(cell).includes(options.only),
  );
  const failures: string[] = [];
  let [next, idle, slowestMs] = [0, 0, 0];
  const lane = async (world: MatrixWorld): Promise<void> => {
    for (let cell = cells[next++]; cell !== undefined; cell = cells[next++]) {
      const { answer, phase, request } = cell;
      const name = `${scenario.name}: ${nameOf(cell)}`;
      const startedAt = performance.now();
      let fault: string | undefined;
      try {
        const struck = await world.cell(phase, () => {
          world.sandbox.wire.arm({ name: request, answer });
        });
        if (!struck) idle += 1;
      } catch (error) {
        fault = error instanceof Error ? error.message : String(error);
        failures.push(`${name}: ${fault}`);
        await world.close();
        world = await open();
      }
      const ms = performance.now() - startedAt;
      slowestMs = Math.max(slowestMs, ms);
      options.onCell(name, ms, fault);
    }
    await world.close();
  };
  const others = Array.from({ length: options.lanes - 1 }, async () => lane(await open()));
  await Promise.all([lane(first), ...others]);
  return { cells: cells.length, idle, failures, slowestMs };
}
