import { createView } from '../workspace/workspace-view.js';
import { type Check, CHECKS } from './checks.js';
import { checkContractSuite } from './contract-suite.js';
import { checkDisabledTests } from './disabled-tests.js';
import { checkFixedSleeps } from './fixed-sleeps.js';
import { checkLockfileHosts } from './lockfile-hosts.js';
import { checkProcessEnv } from './process-env.js';
import { checkProjectTags } from './project-tags.js';
import { checkVendorImports } from './vendor-imports.js';

const LINT_CONFIG = `const vendorSdks = { 'libs/connectors-acme': ['acme-sdk', '@acme/wire'] };`;

type Files = Readonly<Record<string, string>>;

const manifest = (name: string, tags: readonly string[]): string =>
  JSON.stringify({ nx: { name, tags } }, null, 2);

/** Files in which the check finds something, and where. */
const BAD: readonly (readonly [what: string, check: Check, files: Files, at: readonly string[]])[] = [
  [
    'it.skip',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `\nit.skip('x', () => {});` },
    ['libs/a/src/a.spec.ts:2'],
  ],
  [
    'describe.only',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `describe.only('x', () => {});` },
    ['libs/a/src/a.spec.ts:1'],
  ],
  ['it.todo', checkDisabledTests, { 'libs/a/src/a.e2e.ts': `it.todo('x');` }, ['libs/a/src/a.e2e.ts:1']],
  [
    'test.only.each',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `test.only.each([1])('x', () => {});` },
    ['libs/a/src/a.spec.ts:1'],
  ],
  ['xit', checkDisabledTests, { 'libs/a/src/a.spec.ts': `xit('x', () => {});` }, ['libs/a/src/a.spec.ts:1']],
  [
    'fdescribe',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `fdescribe('x', () => {});` },
    ['libs/a/src/a.spec.ts:1'],
  ],
  [
    'a suite that is skipped on a condition',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `const suite = java ? describe : describe.skip;` },
    ['libs/a/src/a.spec.ts:1'],
  ],
  [
    'a skip in a helper',
    checkDisabledTests,
    { 'libs/a/src/testing/h.ts': `export const f = () => describe.skip('x');` },
    ['libs/a/src/testing/h.ts:1'],
  ],
  [
    'an awaited delay',
    checkFixedSleeps,
    { 'libs/a/src/a.spec.ts': `it('x', async () => {\n  await delay(50);\n});` },
    ['libs/a/src/a.spec.ts:2'],
  ],
  [
    'an awaited delay with a constant',
    checkFixedSleeps,
    { 'libs/a/src/a.spec.ts': `await sleep(WAIT_MS);` },
    ['libs/a/src/a.spec.ts:1'],
  ],
  [
    'a promise that sleeps',
    checkFixedSleeps,
    { 'apps/a-e2e/src/support/x.ts': `await new Promise((resolve) => setTimeout(resolve, 100));` },
    ['apps/a-e2e/src/support/x.ts:1'],
  ],
  [
    'a loop that counts sleeps',
    checkFixedSleeps,
    { 'libs/a/src/a.spec.ts': `for (let i = 0; i < 3; i++) await delay(50);` },
    ['libs/a/src/a.spec.ts:1'],
  ],
  [
    'a static import of the SDK beside sdk.ts',
    checkVendorImports,
    { 'libs/connectors-acme/src/a.ts': `import { A } from 'acme-sdk';` },
    ['libs/connectors-acme/src/a.ts:1'],
  ],
  [
    'a dynamic import of the SDK beside sdk.ts',
    checkVendorImports,
    { 'libs/connectors-acme/src/a.ts': `const { A } = await import('@acme/wire/x.js');` },
    ['libs/connectors-acme/src/a.ts:1'],
  ],
  [
    'a require of the SDK',
    checkVendorImports,
    { 'libs/connectors-acme/src/a.ts': `const sdk = require('acme-sdk');` },
    ['libs/connectors-acme/src/a.ts:1'],
  ],
  [
    'sdk.ts loaded with the module',
    checkVendorImports,
    { 'libs/connectors-acme/src/a.ts': `import { A } from './sdk.js';` },
    ['libs/connectors-acme/src/a.ts:1'],
  ],
  [
    'the SDK in another project',
    checkVendorImports,
    { 'libs/message-bus/src/sdk.ts': `export { A } from 'acme-sdk';` },
    ['libs/message-bus/src/sdk.ts:1'],
  ],
  [
    "the SDK's types in another project",
    checkVendorImports,
    { 'apps/a/src/a.ts': `import { type A } from 'acme-sdk';` },
    ['apps/a/src/a.ts:1'],
  ],
  [
    'the SDK in a spec of another project',
    checkVendorImports,
    { 'apps/a/src/a.spec.ts': `import { A } from 'acme-sdk';` },
    ['apps/a/src/a.spec.ts:1'],
  ],
  [
    'the SDK in a tool',
    checkVendorImports,
    { 'tools/sandbox/src/a.ts': `import { A } from 'acme-sdk';` },
    ['tools/sandbox/src/a.ts:1'],
  ],
  [
    'process.env in a lib',
    checkProcessEnv,
    { 'libs/a/src/a.ts': `\n\nconst x = process.env['X'];` },
    ['libs/a/src/a.ts:3'],
  ],
  [
    'process.env in the app beside main.ts',
    checkProcessEnv,
    { 'apps/a/src/config.ts': `parse(process.env);` },
    ['apps/a/src/config.ts:1'],
  ],
  [
    "process['env']",
    checkProcessEnv,
    { 'libs/a/src/a.ts': `const x = process['env'];` },
    ['libs/a/src/a.ts:1'],
  ],
  [
    'env taken out of process',
    checkProcessEnv,
    { 'libs/a/src/a.ts': `const { env } = process;` },
    ['libs/a/src/a.ts:1'],
  ],
  [
    'env under another name',
    checkProcessEnv,
    { 'libs/a/src/a.ts': `const { env: e } = globalThis.process;` },
    ['libs/a/src/a.ts:1'],
  ],
  [
    'env imported',
    checkProcessEnv,
    { 'libs/a/src/a.ts': `import { env } from 'node:process';` },
    ['libs/a/src/a.ts:1'],
  ],
  [
    'missing tags',
    checkProjectTags,
    { 'libs/connectors-acme/package.json': manifest('connectors-acme', ['type:adapter']) },
    ['libs/connectors-acme/package.json:4'],
  ],
  [
    "another connector's tags",
    checkProjectTags,
    {
      'libs/connectors-acme/package.json': manifest('connectors-acme', [
        'scope:connector',
        'type:adapter',
        'platform:twilio',
      ]),
    },
    ['libs/connectors-acme/package.json:4'],
  ],
  [
    'a project that no row knows',
    checkProjectTags,
    { 'libs/misc/package.json': manifest('misc', []) },
    ['libs/misc/package.json:4'],
  ],
  [
    'a name that is not its folder',
    checkProjectTags,
    { 'libs/bus/package.json': manifest('message-bus', ['scope:shared', 'type:transport']) },
    ['libs/bus/package.json:4'],
  ],
  [
    'a connector without contract suite',
    checkContractSuite,
    { 'libs/connectors-acme/src/a.spec.ts': `// describeConnectorContract('acme')` },
    ['libs/connectors-acme/src/testing/connector-contract.int.spec.ts:1'],
  ],
  [
    'a registry in the lockfile',
    checkLockfileHosts,
    { 'package-lock.json': `{\n"resolved": "https://registry.invalid/a.tgz"\n}` },
    ['package-lock.json:2'],
  ],
  [
    'a registry in .npmrc',
    checkLockfileHosts,
    { '.npmrc': `registry=https://registry.invalid` },
    ['.npmrc:1'],
  ],
  [
    'credentials in .npmrc',
    checkLockfileHosts,
    { '.npmrc': `//registry.invalid/:_authToken=x` },
    ['.npmrc:1'],
  ],
];

/** Files in which the check finds nothing. */
const GOOD: readonly (readonly [what: string, check: Check, files: Files])[] = [
  [
    'the word in a string or a comment',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `// it.skip()\nconst text = 'describe.only';\n` },
  ],
  [
    'another thing that is called skip',
    checkDisabledTests,
    { 'libs/a/src/a.spec.ts': `it('x', () => { options.skip = 1; reader.skip(2); fit; });` },
  ],
  [
    'the emulator helper',
    checkDisabledTests,
    { 'tools/emulators/src/describe-with-emulator.ts': `describe.skip('x', body);` },
  ],
  [
    'polling',
    checkFixedSleeps,
    {
      'libs/a/src/a.spec.ts': `while (!(await done())) await delay(20);\nfor (;;) { if (await done()) return; await delay(20); }`,
    },
  ],
  [
    'time that the test moves',
    checkFixedSleeps,
    { 'libs/a/src/a.spec.ts': `const slept = sleep(clock, 100);\nawait sleep(clock, 10);` },
  ],
  [
    'a limit',
    checkFixedSleeps,
    {
      'libs/a/src/a.spec.ts': `await new Promise((resolve, reject) => { const t = setTimeout(() => reject(new Error('late')), 50); on(resolve); });`,
    },
  ],
  ['sleeping in production code', checkFixedSleeps, { 'libs/a/src/a.ts': `await delay(50);` }],
  [
    'sdk.ts',
    checkVendorImports,
    { 'libs/connectors-acme/src/session/sdk.ts': `export { A } from 'acme-sdk';` },
  ],
  [
    'types in the project',
    checkVendorImports,
    {
      'libs/connectors-acme/src/a.ts': `import { type A } from 'acme-sdk';\nimport type B from '@acme/wire';\ntype C = typeof import('acme-sdk');`,
    },
  ],
  [
    'sdk.ts loaded when it is needed',
    checkVendorImports,
    {
      'libs/connectors-acme/src/a.ts': `const { A } = await import('./sdk.js');\nimport { type B } from './sdk.js';`,
    },
  ],
  [
    'specs of the project',
    checkVendorImports,
    { 'libs/connectors-acme/src/a.spec.ts': `import { A } from 'acme-sdk';` },
  ],
  [
    "the sandbox's tests",
    checkVendorImports,
    { 'tools/sandbox/src/acme/a.int.spec.ts': `import { A } from 'acme-sdk';` },
  ],
  [
    'a package whose name begins alike',
    checkVendorImports,
    { 'apps/a/src/a.ts': `import { A } from 'acme-sdk-tools';` },
  ],
  [
    'the mains',
    checkProcessEnv,
    { 'apps/a/src/main.ts': `run(process.env);`, 'apps/a/src/local/main.ts': `run(process.env);` },
  ],
  [
    'specs, end-to-end tests, tools',
    checkProcessEnv,
    {
      'libs/a/src/a.spec.ts': `run(process.env);`,
      'apps/a-e2e/src/x.ts': `run(process.env);`,
      'tools/t/src/x.ts': `run(process.env);`,
    },
  ],
  [
    'the word in a comment',
    checkProcessEnv,
    { 'libs/a/src/a.ts': `/** as process.env has them */\nexport const x = 1;` },
  ],
  [
    'the right tags',
    checkProjectTags,
    {
      'libs/connectors-acme/package.json': manifest('connectors-acme', [
        'platform:acme',
        'scope:connector',
        'type:adapter',
      ]),
    },
  ],
  [
    'a connector with contract suite',
    checkContractSuite,
    { 'libs/connectors-acme/src/b.int.spec.ts': `describeConnectorContract('acme', create);` },
  ],
  [
    'a lockfile without hosts',
    checkLockfileHosts,
    {
      'package-lock.json': `{ "funding": { "url": "https://example.com" }, "link": true, "resolved": "libs/a" }`,
      '.npmrc': 'omit-lockfile-registry-resolved=true',
    },
  ],
];

const at = (check: Check, files: Files): string[] =>
  check(createView({ 'eslint.config.mjs': LINT_CONFIG, ...files })).map(
    ({ file, line }) => `${file}:${line}`,
  );

describe('a check', () => {
  it.each(BAD)('finds %s', (_what, check, files, expected) => {
    expect(at(check, files)).toEqual(expected);
  });

  it.each(GOOD)('lets pass %s', (_what, check, files) => {
    expect(at(check, files)).toEqual([]);
  });

  it('says in each finding which rule is broken and what to do', () => {
    const findings = BAD.flatMap(([, check, files]) =>
      check(createView({ 'eslint.config.mjs': LINT_CONFIG, ...files })),
    );
    expect(findings.filter(({ cure, message, rule }) => [cure, message, rule].includes(''))).toEqual([]);
  });

  it('passes an empty workspace, architecture.yaml apart', () => {
    const found = Object.values(CHECKS).flatMap((check) => check(createView({})));
    expect(found.map(({ file }) => file)).toEqual(['architecture.yaml']);
  });
});
