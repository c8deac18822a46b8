import { type z } from 'zod';

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One fault of the configuration. */
export interface ConfigFault {
  readonly variable: string;
  /** What was expected. Never the value: it may be a secret. */
  readonly expected: string;
}

export type ConfigResult<T> =
  { readonly ok: true; readonly config: T } | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/**
 * Reads an environment by the schema that owns it. Variables set to nothing count as not set.
 *
 * Every fault is reported, each with the variable's name.
 */
export function parseEnvironment<T>(schema: z.ZodType<T>, environment: Environment): ConfigResult<T> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = schema.safeParse(present);
  if (parsed.success) return { ok: true, config: parsed.data };
  const faults = parsed.error.issues.map((issue) => ({
    variable: issue.path.map(String).join('.'),
    expected: issue.message,
  }));
  return { ok: false, faults };
}
