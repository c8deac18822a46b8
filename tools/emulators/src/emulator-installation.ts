import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type EmulatorKind } from './emulator-kind.js';

/** Where the parts of an emulator are on this machine. */
export interface EmulatorInstallation {
  readonly java: string;
  readonly jar: string;
}

/** What was found, or what is missing and how to get it. */
export type EmulatorAvailability =
  | { readonly available: true; readonly installation: EmulatorInstallation }
  | { readonly available: false; readonly reason: string };

/** The variables that say where programs are. */
export type SearchEnvironment = Readonly<Record<string, string | undefined>>;

/** Looks for java and for an emulator of the Google Cloud CLI: `CLOUDSDK_ROOT`, beside `gcloud`, the Debian package's place. */
export function emulatorAvailability(
  kind: EmulatorKind,
  environment: SearchEnvironment,
): EmulatorAvailability {
  const java = onPath('java', environment);
  const jar = cliRoots(environment)
    .map((root) => jarIn(root, kind))
    .find((path) => path !== undefined);
  if (java !== undefined && jar !== undefined) return { available: true, installation: { java, jar } };
  const missing = [
    ...(jar === undefined
      ? [`the ${kind.name} emulator of the Google Cloud CLI (Debian: ${kind.debianPackage})`]
      : []),
    ...(java === undefined ? ['java (Debian: default-jre-headless)'] : []),
  ];
  return { available: false, reason: `missing: ${missing.join(' and ')}` };
}

function cliRoots(environment: SearchEnvironment): string[] {
  const gcloud = onPath('gcloud', environment);
  const configured = environment['CLOUDSDK_ROOT'];
  return [
    ...(configured === undefined || configured === '' ? [] : [configured]),
    ...(gcloud === undefined ? [] : [dirname(dirname(realpathSync(gcloud)))]),
    '/usr/lib/google-cloud-sdk',
  ];
}

function jarIn(root: string, kind: EmulatorKind): string | undefined {
  const folder = join(root, kind.jar.folder);
  if (!existsSync(folder)) return undefined;
  const jar = readdirSync(folder).find((name) => kind.jar.file.test(name));
  return jar === undefined ? undefined : join(folder, jar);
}

function onPath(program: string, environment: SearchEnvironment): string | undefined {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
