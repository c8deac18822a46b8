import { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { param, type Refusal } from './control-request.js';

/** The switches of a platform's faults. */
export interface FaultControl<F> {
  /** The armed faults. */
  faults(): readonly unknown[];
  /** Causes a fault. Returns what it did. */
  injectFault(fault: F): unknown;
  /** Disarms one fault, or all without an id. Returns how many there were. */
  heal(id?: string): number;
}

/** How a platform reads a fault and refuses. */
export interface FaultTerms<F> {
  /** Reads one fault. Throws for one that does not exist. */
  read(fault: unknown): F;
  /** The refusal of an id that no fault has. */
  notFound(message: string): Refusal;
}

const faultsBody = z.union([z.array(z.unknown()).min(1), z.unknown().transform((fault) => [fault])]);

/** Adds the routes that show, cause and heal faults. @param path where they stand, e.g. `/faults`. */
export function registerFaultRoutes<F>(
  app: FastifyInstance,
  path: string,
  control: FaultControl<F>,
  terms: FaultTerms<F>,
): void {
  app.get(path, () => Promise.resolve(control.faults()));
  app.post(path, async (request, reply) => {
    // All are read before the first is caused: a list with a mistake causes nothing.
    const faults = faultsBody.parse(request.body).map((fault) => terms.read(fault));
    const receipts = faults.map((fault) => control.injectFault(fault));
    return reply.code(201).send(Array.isArray(request.body) ? receipts : receipts[0]);
  });
  app.delete(path, () => Promise.resolve({ healed: control.heal() }));
  app.delete(`${path}/:id`, (request) => {
    const id = param(request, 'id');
    const healed = control.heal(id);
    if (healed === 0) throw terms.notFound(`There is no fault ${id}.`);
    return Promise.resolve({ healed });
  });
}
