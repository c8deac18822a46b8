import { pascalCase } from '../../conformance/connector-files.js';

/** The names that a connector's files and symbols carry. */
export interface ConnectorNames {
  /** `my-chat` */
  readonly name: string;
  /** `MyChat` */
  readonly pascal: string;
  /** `myChat` */
  readonly camel: string;
  /** `MY_CHAT` */
  readonly constant: string;
  /** `My Chat` */
  readonly title: string;
}

/** A connector's name, as libs/envelope reads it (`connectorNameSchema`), with one hyphen between words. */
const NAME = /^(?=.{1,32}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/** What stands beside the connectors and is none. */
const TAKEN = new Set(['core', 'testing']);

/** @throws Error that says what a name may be */
export function toConnectorNames(name: string): ConnectorNames {
  if (!NAME.test(name)) {
    throw new Error(
      `"${name}" cannot be a connector's name: use lower-case letters, digits and single hyphens, 32 at most, a letter first`,
    );
  }
  if (TAKEN.has(name))
    throw new Error(`"${name}" cannot be a connector's name: libs/connectors-${name} is no connector`);
  const pascal = pascalCase(name);
  return {
    name,
    pascal,
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    constant: name.replaceAll('-', '_').toUpperCase(),
    title: name.split('-').map(pascalCase).join(' '),
  };
}

/** A package and its exact version: `@slack/socket-mode@2.0.4`. @throws Error that says how it is written */
export function parseSdk(sdk: string): { readonly name: string; readonly version: string } {
  const [, name, version] =
    /^((?:@[a-z0-9._-]+\/)?[a-z0-9._-]+)@(\d+\.\d+\.\d+(?:-[\w.]+)?)$/.exec(sdk) ?? [];
  if (name === undefined || version === undefined) {
    throw new Error(`"${sdk}" is no package with an exact version: write it as @slack/socket-mode@2.0.4`);
  }
  return { name, version };
}
