import { type z } from 'zod';
import { readInput } from '../../control-request.js';
import { invalidParameter } from '../api-error.js';

/** Parses what a caller gave. Throws 400 with the name of each field that is wrong; `part` names the whole. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, part = 'body'): T {
  return readInput(schema, value, part, invalidParameter);
}
