import { type z } from 'zod';
import { ApiError } from './api-error.js';

/** Parses what a caller gave. Throws 400 with the name of each field that is wrong; `part` names the whole. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown, part = 'body'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const name = issue.path.map(String).join('.');
    return `${name === '' ? part : name}: ${issue.message}`;
  });
  throw new ApiError(400, 20001, faults.join('; '));
}
