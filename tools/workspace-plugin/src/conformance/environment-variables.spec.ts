import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createView } from '../workspace/workspace-view.js';
import { checkEnvironmentVariables } from './environment-variables.js';

const ROOT = join(__dirname, '../../../..');
const SCHEMA_FILE = 'tools/workspace-plugin/src/architecture/architecture.schema.json';
const SCHEMA = readFileSync(join(ROOT, SCHEMA_FILE), 'utf8');

/** The repository's own file with two small sets of variables in it. */
const ARCHITECTURE = readFileSync(join(ROOT, 'architecture.yaml'), 'utf8').replace(
  /\nvariables:\n[\s\S]*?\nsecrets:\n(?: .*\n)*/,
  `
variables:
  app:
    - { name: MESSAGE_BUS_DRIVER, type: enum, values: [memory, pubsub], default: memory, meaning: m }
    - { name: STATE_STORE_DRIVER, type: string, meaning: m }
    - { name: BUS_PREFIX, type: string, meaning: m }
    - { name: LOG_LEVEL, type: string, meaning: m }
    - { name: ECHO_BOT_ENABLED, type: boolean, default: 'false', meaning: m }
  connectors-acme:
    - name: ACME_ENABLED
      type: boolean
      default: 'false'
      meaning: m
    - name: ACME_HOURS
      type: integer
      minimum: 1
      maximum: 8760
      default: '24'
      meaning: m
secrets: []
`,
);

const FILES: Readonly<Record<string, string>> = {
  'architecture.yaml': ARCHITECTURE,
  [SCHEMA_FILE]: SCHEMA,
  'apps/app/package.json': '{ "name": "app" }',
  'apps/app/src/config.ts': `const schema = z
    .object({
      MESSAGE_BUS_DRIVER: z.enum(['memory', 'pubsub']).default('memory'),
      STATE_STORE_DRIVER: z.string(), BUS_PREFIX: z.string(), LOG_LEVEL: z.string(), ECHO_BOT_ENABLED: flag(false),
    }).strict();`,
  'libs/connectors-acme/package.json': '{ "name": "connectors-acme" }',
  'libs/connectors-acme/src/config.ts': `const flag = environment['ACME_ENABLED'] ?? 'false';
    const schema = z.object({ ACME_HOURS: wholeNumber(1, 8_760, 24, 'hours') });
    const config = { ACME_NOT_READ: 1 };`,
};

const check = (changes: Readonly<Record<string, string>>): string[] =>
  checkEnvironmentVariables(createView({ ...FILES, ...changes })).map(
    ({ file, message }) => `${file}: ${message}`,
  );

const CONFIG = 'libs/connectors-acme/src/config.ts';
const changed = (file: string, from: string, to: string): Record<string, string> => ({
  [file]: (FILES[file] ?? '').replace(from, to),
});

describe('checkEnvironmentVariables', () => {
  it('is content where both say the same', () => {
    expect(check({})).toEqual([]);
  });

  it.each([
    [
      'a variable of a schema that is not described',
      changed(CONFIG, 'z.object({', 'z.object({ ACME_TOKEN: text(),'),
      [`${CONFIG}: ACME_TOKEN does not stand in architecture.yaml`],
    ],
    [
      'a variable that is looked up and not described',
      { 'apps/app/src/main.ts': `const x = process.env['APP_X'];` },
      ['apps/app/src/main.ts: APP_X does not stand in architecture.yaml'],
    ],
    [
      'a described variable that no schema has',
      changed(CONFIG, 'ACME_HOURS', 'acmeHours'),
      ['architecture.yaml: ACME_HOURS is not read by connectors-acme'],
    ],
    [
      'a renamed variable, from both sides',
      changed(CONFIG, 'ACME_HOURS', 'ACME_DAYS'),
      [
        `${CONFIG}: ACME_DAYS does not stand in architecture.yaml`,
        'architecture.yaml: ACME_HOURS is not read by connectors-acme',
      ],
    ],
    [
      'another default',
      changed(CONFIG, "24, 'hours'", "48, 'hours'"),
      [`architecture.yaml: ACME_HOURS has the default 24 here, but not in ${CONFIG}:2`],
    ],
    [
      'another bound',
      changed(CONFIG, '8_760', '9_999'),
      [`architecture.yaml: ACME_HOURS has the maximum 8760 here, but not in ${CONFIG}:2`],
    ],
    [
      'another default of the switch',
      changed(CONFIG, "?? 'false'", "?? 'true'"),
      [`architecture.yaml: ACME_ENABLED has the default false here, but not in ${CONFIG}:1`],
    ],
    [
      'a value that the schema does not have',
      changed('apps/app/src/config.ts', "'pubsub']", "'nats']"),
      [
        'architecture.yaml: MESSAGE_BUS_DRIVER has the value pubsub here, but not in apps/app/src/config.ts:3',
      ],
    ],
    [
      'an owner that is no project',
      changed('architecture.yaml', 'connectors-acme:', 'connectors-amce:'),
      [
        'architecture.yaml: ACME_ENABLED belongs to connectors-amce, which is no project',
        'architecture.yaml: ACME_HOURS belongs to connectors-amce, which is no project',
      ],
    ],
  ])('finds %s', (_what, changes, expected) => {
    expect(check(changes)).toEqual(expected);
  });

  it('reports a file that is not valid instead of comparing', () => {
    expect(check(changed('architecture.yaml', 'type: integer', 'type: number'))).toEqual([
      'architecture.yaml: variables.connectors-acme.1.type has a value that is not known',
    ]);
  });
});
