import { type Architecture } from '../architecture/architecture.js';
import { createView } from '../workspace/workspace-view.js';
import { checkEnvironmentVariables, compareVariables } from './environment-variables.js';

type Variables = Architecture['variables'];

const VARIABLES = {
  app: [
    { name: 'BUS_DRIVER', type: 'enum', values: ['memory', 'pubsub'], default: 'memory', meaning: 'm' },
    { name: 'ECHO_ENABLED', type: 'boolean', default: 'false', meaning: 'm' },
  ],
  'connectors-acme': [
    { name: 'ACME_ENABLED', type: 'boolean', default: 'false', meaning: 'm' },
    { name: 'ACME_HOURS', type: 'integer', minimum: 1, maximum: 8760, default: '24', meaning: 'm' },
  ],
} satisfies Variables;

const CONFIG = 'libs/connectors-acme/src/config.ts';

const FILES: Readonly<Record<string, string>> = {
  'architecture.yaml': 'variables:\n  acme:\n    - name: ACME_HOURS\n',
  'apps/app/package.json': '{ "name": "app" }',
  'apps/app/src/config.ts': `const schema = z
    .object({
      BUS_DRIVER: z.enum(['memory', 'pubsub']).default('memory'),
      ECHO_ENABLED: flag(false),
    }).strict();`,
  'libs/connectors-acme/package.json': '{ "name": "connectors-acme" }',
  [CONFIG]: `const flag = environment['ACME_ENABLED'] ?? 'false';
    const schema = z.object({ ACME_HOURS: wholeNumber(1, 8_760, 24, 'hours') });
    const config = { ACME_NOT_READ: 1 };`,
};

const check = (changes: Readonly<Record<string, string>>, variables: Variables = VARIABLES): string[] =>
  compareVariables({ variables }, createView({ ...FILES, ...changes })).map(
    ({ file, line, message }) => `${file}:${line} ${message}`,
  );

const changed = (file: string, from: string, to: string): Record<string, string> => ({
  [file]: (FILES[file] ?? '').replace(from, to),
});

describe('compareVariables', () => {
  it('is content where both say the same', () => {
    expect(check({})).toEqual([]);
  });

  it.each([
    [
      'a variable of a schema that is not described',
      changed(CONFIG, 'z.object({', 'z.object({ ACME_TOKEN: text(),'),
      [`${CONFIG}:2 ACME_TOKEN does not stand in architecture.yaml`],
    ],
    [
      'a variable that is looked up and not described',
      { 'apps/app/src/main.ts': `const x = process.env['APP_X'];` },
      ['apps/app/src/main.ts:1 APP_X does not stand in architecture.yaml'],
    ],
    [
      'a described variable that no schema has',
      changed(CONFIG, 'ACME_HOURS', 'acmeHours'),
      ['architecture.yaml:3 ACME_HOURS is not read by connectors-acme'],
    ],
    [
      'a renamed variable, from both sides',
      changed(CONFIG, 'ACME_HOURS', 'ACME_DAYS'),
      [
        `${CONFIG}:2 ACME_DAYS does not stand in architecture.yaml`,
        'architecture.yaml:3 ACME_HOURS is not read by connectors-acme',
      ],
    ],
    [
      'another default',
      changed(CONFIG, "24, 'hours'", "48, 'hours'"),
      [`architecture.yaml:3 ACME_HOURS has the default 24 here, but not in ${CONFIG}:2`],
    ],
    [
      'another bound',
      changed(CONFIG, '8_760', '9_999'),
      [`architecture.yaml:3 ACME_HOURS has the maximum 8760 here, but not in ${CONFIG}:2`],
    ],
    [
      'another default of the switch',
      changed(CONFIG, "?? 'false'", "?? 'true'"),
      [`architecture.yaml:1 ACME_ENABLED has the default false here, but not in ${CONFIG}:1`],
    ],
    [
      'a value that the schema does not have',
      changed('apps/app/src/config.ts', "'pubsub']", "'nats']"),
      ['architecture.yaml:1 BUS_DRIVER has the value pubsub here, but not in apps/app/src/config.ts:3'],
    ],
  ])('finds %s', (_what, changes, expected) => {
    expect(check(changes)).toEqual(expected);
  });

  it('passes over scripts that are no project, over tests, and over what only tests use', () => {
    const read = `const x = process.env['PATH_X'];`;
    expect(
      check({
        'tools/image/check.mjs': read,
        'apps/app/src/a.spec.ts': read,
        'tools/emulators/package.json': '{}',
        'tools/emulators/src/a.ts': read,
      }),
    ).toEqual([]);
  });

  it('finds an owner that is no project', () => {
    expect(
      check({}, { ...VARIABLES, 'connectors-amce': [{ name: 'AMCE', type: 'string', meaning: 'm' }] }),
    ).toEqual(['architecture.yaml:1 AMCE belongs to connectors-amce, which is no project']);
  });
});

describe('checkEnvironmentVariables', () => {
  it('reports a file that cannot be read instead of comparing', () => {
    expect(checkEnvironmentVariables(createView({ 'architecture.yaml': '' }))).toMatchObject([
      { message: 'the file is missing' },
    ]);
  });
});
