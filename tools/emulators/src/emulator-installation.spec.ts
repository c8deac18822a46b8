import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { emulatorAvailability } from './emulator-installation.js';
import { startEmulator } from './emulator-process.js';
import { FIRESTORE } from './firestore-emulator.js';
import { PUBSUB } from './pubsub-emulator.js';

describe.each([
  {
    kind: PUBSUB,
    jarPath: 'platform/pubsub-emulator/lib/cloud-pubsub-emulator-9.9.9-all.jar',
  },
  {
    kind: FIRESTORE,
    jarPath: 'platform/cloud-firestore-emulator/cloud-firestore-emulator.jar',
  },
])('availability of the $kind.name emulator', ({ kind, jarPath }) => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'emulator-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const program = (...path: string[]): string => {
    const file = join(folder, ...path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    chmodSync(file, 0o755);
    return file;
  };

  it('finds the jar beside gcloud, through a symbolic link', () => {
    const jar = program('sdk', jarPath);
    const gcloud = program('sdk', 'bin', 'gcloud');
    const java = program('bin', 'java');
    symlinkSync(gcloud, join(folder, 'bin', 'gcloud'));
    expect(emulatorAvailability(kind, { PATH: `/nowhere:${join(folder, 'bin')}` })).toEqual({
      available: true,
      installation: { java, jar },
    });
  });

  it('prefers the folder that CLOUDSDK_ROOT names', () => {
    const jar = program('named', jarPath);
    program('bin', 'java');
    const found = emulatorAvailability(kind, {
      PATH: join(folder, 'bin'),
      CLOUDSDK_ROOT: join(folder, 'named'),
    });
    expect(found).toMatchObject({ installation: { jar } });
  });

  it('names what is missing and the package that has it', async () => {
    const environment = { PATH: folder };
    expect(emulatorAvailability(kind, environment)).toMatchObject({
      available: false,
      reason: expect.stringMatching(/java \(Debian: default-jre-headless\)/) as string,
    });
    await expect(startEmulator(kind, { environment })).rejects.toThrow(
      `cannot start the ${kind.name} emulator, missing`,
    );
  });
});
