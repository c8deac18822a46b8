import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Where the parts of the emulator are on this machine. */
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

/** Looks for java and for the emulator of the Google Cloud CLI: `CLOUDSDK_ROOT`, beside `gcloud`, the Debian package's place. */
export function emulatorAvailability(environment: SearchEnvironment): EmulatorAvailability {
  const java = onPath('java', environment);
  const jar = cliRoots(environment)
    .map((root) => join(root, 'platform', 'cloud-firestore-emulator', 'cloud-firestore-emulator.jar'))
    .find((path) => existsSync(path));
  if (java !== undefined && jar !== undefined) return { available: true, installation: { java, jar } };
  const missing = [
    ...(jar === undefined
      ? ['the Firestore emulator of the Google Cloud CLI (Debian: google-cloud-cli-firestore-emulator)']
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

function onPath(program: string, environment: SearchEnvironment): string | undefined {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
