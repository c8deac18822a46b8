import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { readSettings } from '../composition.js';
import { loadEnvFile, malformedLine } from './env-file.js';
import { KNOWN_VARIABLES } from './known-variables.js';

const EXAMPLE = readFileSync(join(__dirname, '../../../../.env.example'), 'utf8');

describe('.env.example', () => {
  it('is well-formed, and still is with every setting in use', () => {
    expect(malformedLine(EXAMPLE)).toBeUndefined();
    expect(malformedLine(inUse(EXAMPLE))).toBeUndefined();
  });

  it('names every setting, and gives each its default', () => {
    const variables = parseEnv(inUse(EXAMPLE));
    expect(Object.keys(variables).sort()).toEqual(
      [...KNOWN_VARIABLES].filter((name) => name !== 'K_SERVICE').sort(),
    );
    expect(readSettings({ ...variables })).toEqual(readSettings({}));
  });
});

describe('an empty setting', () => {
  it.each(['', ' ', '\t'])('means its default, for every variable: %j', (value) => {
    for (const name of KNOWN_VARIABLES) expect(readSettings({ [name]: value })).toEqual(readSettings({}));
  });
});

describe('malformedLine', () => {
  it.each([
    ['a word', 'PORT', 1],
    ['a line after good ones', '# x\n\nPORT=1\nLOG_LEVEL: info\n', 4],
    ['a quote that never ends', 'A=1\nTOKEN="abc\nB=2', 2],
    ['a space in the name', 'MY PORT=1', 1],
    ['a byte-order mark', '\ufeffPORT=1', 1],
    ['a NUL', 'PORT=\u00001', 1],
    ['a shell command', 'if true; then', 1],
  ])('finds %s', (_name, text, line) => {
    expect(malformedLine(text)).toBe(line);
  });

  it.each([
    ['nothing', ''],
    ['comments', ' # x\n#y'],
    ['export', 'export PORT=1'],
    ['Windows line ends', 'PORT=1\r\nHOST=x\r\n'],
    ['a value of several lines', 'KEY="one\ntwo\nthree"\nPORT=1'],
    ['quotes inside', `A='it''s'\nB=a"b`],
    ['no value', 'PORT='],
    ['a comment behind', 'PORT=1 # the port'],
  ])('accepts %s', (_name, text) => {
    expect(malformedLine(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        malformedLine(text);
      }),
      { verbose: true },
    );
  });
});

describe('loadEnvFile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'env-file-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('sets what is missing; what is there wins', () => {
    const environment = { A: 'kept', EMPTY: '' };
    writeFileSync(join(folder, '.env'), 'A=a\nEMPTY=c\nexport B="b" # a comment\r\n');
    loadEnvFile(environment, join(folder, '.env'));
    expect(environment).toEqual({ A: 'kept', EMPTY: '', B: 'b' });
  });

  it('does nothing without a file', () => {
    expect(() => {
      loadEnvFile({}, join(folder, '.env'));
    }).not.toThrow();
  });

  it.each([
    ['a folder', (path: string) => mkdirSync(path), 'it is not a file'],
    [
      'not UTF-8',
      (path: string) => writeFileSync(path, Buffer.from([0x41, 0x3d, 0xff])),
      'it is not UTF-8 text',
    ],
    ['huge', (path: string) => writeFileSync(path, 'A=1\n'.repeat(300_000)), 'it has more than 1 MiB'],
    ['malformed', (path: string) => writeFileSync(path, 'A=1\nsecret words\n'), 'a fault in line 2'],
  ])('says what is wrong with one that is %s, and none of its content', (_name, make, reason) => {
    const path = join(folder, '.env');
    make(path);
    const load = (): void => {
      loadEnvFile({}, path);
    };
    expect(load).toThrow(reason);
    expect(load).not.toThrow(/secret/);
  });
});

/** The file with every setting taken out of its comment. */
const inUse = (text: string): string => text.replaceAll(/^#([A-Z][A-Z0-9_]*=)/gm, '$1');
