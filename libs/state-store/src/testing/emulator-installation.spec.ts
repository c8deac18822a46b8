import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFirestoreEmulator } from './emulator.js';
import { emulatorAvailability } from './emulator-installation.js';

const JAR = ['platform', 'cloud-firestore-emulator', 'cloud-firestore-emulator.jar'];

describe('emulatorAvailability', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'emulator-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const program = (...path: string[]): string => {
    const file = join(folder, ...path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '');
    chmodSync(file, 0o755);
    return file;
  };

  it('finds the jar beside gcloud, through a symbolic link', () => {
    const jar = program('sdk', ...JAR);
    const gcloud = program('sdk', 'bin', 'gcloud');
    const java = program('bin', 'java');
    symlinkSync(gcloud, join(folder, 'bin', 'gcloud'));
    expect(emulatorAvailability({ PATH: `/nowhere:${join(folder, 'bin')}` })).toEqual({
      available: true,
      installation: { java, jar },
    });
  });

  it('prefers the folder that CLOUDSDK_ROOT names', () => {
    const jar = program('named', ...JAR);
    program('bin', 'java');
    const found = emulatorAvailability({ PATH: join(folder, 'bin'), CLOUDSDK_ROOT: join(folder, 'named') });
    expect(found).toMatchObject({ installation: { jar } });
  });

  it('names what is missing and the package that has it', async () => {
    const environment = { PATH: folder };
    expect(emulatorAvailability(environment)).toMatchObject({
      available: false,
      reason: expect.stringMatching(/java \(Debian: default-jre-headless\)/) as string,
    });
    await expect(startFirestoreEmulator({ environment })).rejects.toThrow(
      /cannot start the Firestore emulator, missing/,
    );
  });
});
