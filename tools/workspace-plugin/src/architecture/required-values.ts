import { type Architecture } from './architecture.js';
import { type EnvironmentName, resolveEnvironment, serviceVariables } from './deployed-environment.js';

/** A variable without a value, and the condition under which it needs one. */
export interface MissingValue {
  readonly variable: string;
  readonly requiredWhen: string;
}

/** What an environment lacks: the service would refuse to start. */
export function missingValues(architecture: Architecture, name: EnvironmentName): MissingValue[] {
  const { installation, secrets, values } = resolveEnvironment(architecture, name);
  const given = new Map([
    ...values.map(({ value, variable }) => [variable, value] as const),
    ...[...installation, ...secrets.map(({ variable }) => variable)].map(
      (variable) => [variable, ''] as const,
    ),
  ]);
  return serviceVariables(architecture).flatMap(({ name: variable, requiredWhen }) =>
    requiredWhen !== undefined && !given.has(variable) && holds(requiredWhen, given)
      ? [{ variable, requiredWhen }]
      : [],
  );
}

/** `A is true and B is not set or C is pubsub`; `and` binds stronger. */
function holds(condition: string, given: ReadonlyMap<string, string>): boolean {
  return condition.split(' or ').some((alternative) =>
    alternative.split(' and ').every((part) => {
      const [, variable = '', expected] = /^(\w+) is (.+)$/.exec(part) ?? [];
      if (expected === 'set') return given.has(variable);
      if (expected === 'not set') return !given.has(variable);
      return given.get(variable) === expected;
    }),
  );
}
