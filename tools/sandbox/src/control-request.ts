import { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Longest long poll, in milliseconds. */
const MAX_WAIT_MS = 60_000;

/** Milliseconds that a request waits for something to answer with when there is nothing yet. */
export const waitMs = z.coerce.number().int().min(0).max(MAX_WAIT_MS).default(0);

/** An error with which a platform refuses what it is asked for. */
export interface Refusal extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The platform's own error code, where it has some. */
  readonly code?: number;
}

/** Parses a part of a request. Throws what `refuse` makes of the names of the fields that are wrong, each with its reason. */
export function readInput<T>(
  schema: z.ZodType<T>,
  value: unknown,
  part: string,
  refuse: (message: string) => Refusal,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path.map(String).join('.');
    return `${name === '' ? part : name}: ${issue.message}`;
  });
  throw refuse(faults.join('; '));
}

/** A parameter of the path. */
export function param(request: FastifyRequest, name: string): string {
  const params = request.params as Record<string, string>; // Fastify gives path parameters as strings
  return params[name] ?? '';
}

/** Answers a control request that failed: with the status and code of a refusal, with Fastify's own status, else with 500. */
export function createErrorHandler(refusal: abstract new (...args: never[]) => Refusal) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof refusal) {
      const { status, code, message } = error;
      return reply.code(status).send({ status, code, message });
    }
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
        ? error.statusCode
        : 500;
    return reply.code(status).send({ status, message: error instanceof Error ? error.message : 'Error' });
  };
}
