import { type Environment } from '@bitbrat/connectors-core';
import { KNOWN_VARIABLES } from './known-variables.js';
import { findUnknownVariables, type UnknownVariable } from './unknown-variables.js';

/** What an environment has that the service does not use. Names only; values may be secrets. */
export interface EnvironmentNotes {
  readonly unknown: readonly UnknownVariable[];
  /** Variables that ask for a proxy. */
  readonly proxies: readonly string[];
}

const PROXY = /^(?:https?_proxy|all_proxy|no_proxy)$/i;

/** Looks for misspelt settings and for a proxy, which the service does not support. Pure. */
export function noteEnvironment(environment: Environment): EnvironmentNotes {
  const names = Object.keys(environment).filter((name) => (environment[name] ?? '').trim() !== '');
  return {
    unknown: findUnknownVariables(names, KNOWN_VARIABLES),
    proxies: names.filter((name) => PROXY.test(name)).sort(),
  };
}

/** What to do about a proxy. */
export const PROXY_HINT =
  'proxies are not supported: connections to the platforms are made directly. Allow them through the firewall, or remove the variables';
