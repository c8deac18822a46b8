import { z } from 'zod';

/**
 * An environment variable that must match.
 * @param expected completes "expected …" in the fault
 */
export function textVariable(pattern: RegExp, expected: string): z.ZodString {
  return z.string({ error: `expected ${expected}` }).regex(pattern, `expected ${expected}`);
}

/**
 * An environment variable with a whole number in decimal digits, from `min` to `max`, both of them included.
 * @param what its unit, or what it is: `seconds`
 */
export function wholeNumberVariable(
  min: number,
  max: number,
  fallback: number,
  what: string,
): z.ZodType<number> {
  const expected = `expected ${what}, a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
    .default(fallback);
}

/**
 * An environment variable with a URL, without user and fragment.
 * @param protocol matches `https:` and the like
 * @param expected completes "expected …" in the fault
 */
export function endpointVariable(protocol: RegExp, expected: string): z.ZodString {
  return z
    .string({ error: `expected ${expected}` })
    .refine((value) => isEndpoint(value, protocol), `expected ${expected}`);
}

function isEndpoint(value: string, protocol: RegExp): boolean {
  if (!URL.canParse(value)) return false;
  const { hash, protocol: found, username } = new URL(value);
  return protocol.test(found) && username === '' && hash === '';
}

/** What is wrong with variables that each by itself is right. */
export interface VariablesFault {
  readonly variable: string;
  /** Begins with "expected". */
  readonly expected: string;
}

/** How the settings of a connector are made from its environment variables. */
export interface SettingsRecipe<V, C extends { readonly enabled: true }> {
  /** Each variable but the one that enables the connector. */
  readonly variables: z.ZodType<V>;
  /** What `variables` cannot see; it gets the variables as they are. */
  readonly check?: (environment: Readonly<Record<string, unknown>>) => readonly VariablesFault[];
  readonly toConfig: (variables: V) => C;
}

/**
 * The schema of a connector's environment variables.
 *
 * Unless the variable `enabledBy` is `true` the result is `{ enabled: false }`, whatever else is set. Of an enabled connector every fault is
 * reported, by variable and with what was expected, never with the value.
 */
export function connectorSettings<V, C extends { readonly enabled: true }>(
  enabledBy: string,
  { check = () => [], toConfig, variables }: SettingsRecipe<V, C>,
): z.ZodType<C | { readonly enabled: false }> {
  return z
    .record(z.string(), z.unknown())
    .transform((environment, context): C | { readonly enabled: false } => {
      const flag = environment[enabledBy] ?? 'false';
      if (flag === 'false') return { enabled: false };
      const parsed = variables.safeParse(environment);
      const issues = [
        ...(flag === 'true' ? [] : [{ path: [enabledBy], message: 'expected true or false' }]),
        ...(parsed.error?.issues ?? []),
        ...check(environment).map(({ expected, variable }) => ({ path: [variable], message: expected })),
      ];
      for (const { path, message } of issues) context.addIssue({ code: 'custom', path: [...path], message });
      return parsed.success && issues.length === 0 ? toConfig(parsed.data) : z.NEVER;
    });
}
