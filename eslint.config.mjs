import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const source = ['**/*.ts', '**/*.mts', '**/*.cts', '**/*.js', '**/*.mjs', '**/*.cjs'];
const specs = [
  '**/*.spec.ts',
  '**/*.e2e.ts',
  'libs/connectors-*/src/testing/*.ts',
  'tools/sandbox/src/*/testing/*.ts',
];
const benches = ['libs/*/bench/**/*.ts'];

/** Who may import whom: the table of the design, by tag. */
const constraints = [
  { sourceTag: 'type:foundation', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:model', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:transport', onlyDependOnLibsWithTags: ['type:foundation', 'type:model'] },
  // What a bot author installs, and a bot that lives in this workspace.
  { sourceTag: 'type:bot', onlyDependOnLibsWithTags: ['type:foundation', 'type:transport', 'type:model'] },
  { sourceTag: 'type:bot-app', onlyDependOnLibsWithTags: ['type:bot', 'type:foundation', 'type:model'] },
  { sourceTag: 'type:contract', onlyDependOnLibsWithTags: ['type:foundation', 'type:model'] },
  { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:foundation', 'type:contract', 'type:model'] },
  { sourceTag: 'type:adapter', onlyDependOnLibsWithTags: ['type:foundation', 'type:contract', 'type:model'] },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      'type:adapter',
      'type:contract',
      'type:transport',
      'type:model',
      'type:foundation',
    ],
  },
  {
    sourceTag: 'type:e2e',
    onlyDependOnLibsWithTags: [
      'type:app',
      'type:sandbox',
      'type:emulator',
      'type:transport',
      'type:model',
      'type:foundation',
    ],
  },
  { sourceTag: 'type:sandbox', onlyDependOnLibsWithTags: ['type:foundation', 'type:model'] },
  { sourceTag: 'type:emulator', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'type:plugin', onlyDependOnLibsWithTags: [] },
];

/** The same table with what `extra` allows besides, by the tag of who imports. */
const allowAlso = (extra) =>
  constraints.map(({ sourceTag, onlyDependOnLibsWithTags }) => ({
    sourceTag,
    onlyDependOnLibsWithTags: [...onlyDependOnLibsWithTags, ...(extra[sourceTag] ?? [])],
  }));

const boundaries = (depConstraints) => [
  'error',
  { enforceBuildableLibDependency: true, banTransitiveDependencies: true, allow: [], depConstraints },
];

/** A vendor's SDK belongs to one project; everywhere else it is refused. */
const vendorSdks = {
  'libs/connectors-twilio': ['twilio', '@twilio/conversations'],
  'libs/connectors-twitch': ['tmi.js', '@twurple/auth'],
  'libs/connectors-discord': ['discord.js'],
  'libs/message-bus': ['@google-cloud/pubsub'],
  'libs/state-store': ['@google-cloud/firestore'],
};
const vendorRule = (owner) => ({
  files: [owner === undefined ? '{apps,libs}/**/*.ts' : `${owner}/**/*.ts`],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: Object.entries(vendorSdks)
          .filter(([project]) => project !== owner)
          .map(([project, names]) => ({
            group: names.flatMap((name) => [name, `${name}/*`]),
            message: `This SDK is imported in ${project} only.`,
          })),
      },
    ],
  },
});

/** Files whose imports are no dependencies of the built project. */
const dependencyChecks = {
  ignoredFiles: [
    '{projectRoot}/jest*.config.cjs',
    '{projectRoot}/esbuild.config.mjs',
    '{projectRoot}/{bench,contract}/**/*.ts',
    '{projectRoot}/src/**/*.{spec,e2e}.ts',
    '{projectRoot}/src/local/**/*.{ts,mjs}',
    '{projectRoot}/src/fixtures/**/*.ts',
  ],
};

export default [
  { ignores: ['**/dist', '**/dist-local', '**/out-tsc', '**/test-output', '**/coverage', '**/files/**'] },
  ...nx.configs['flat/base'],
  ...nx.configs['flat/typescript'],
  ...nx.configs['flat/javascript'],
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  prettier,
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      // Underscore marks what a signature demands and the body does not need.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  { files: source, rules: { '@nx/enforce-module-boundaries': boundaries(constraints) } },
  {
    files: specs,
    rules: {
      '@nx/enforce-module-boundaries': boundaries(
        allowAlso({
          'type:adapter': ['type:testing', 'type:sandbox'],
          'type:app': ['type:testing', 'type:sandbox', 'type:emulator'],
          'type:transport': ['type:emulator'],
        }),
      ),
    },
  },
  {
    files: benches,
    rules: {
      '@nx/enforce-module-boundaries': boundaries(allowAlso({ 'type:transport': ['type:emulator'] })),
    },
  },
  {
    // The laptop composition is the one part of the app that starts the platforms' stand-ins.
    files: ['apps/ingress-egress/src/local/**/*.ts'],
    ignores: specs,
    rules: { '@nx/enforce-module-boundaries': boundaries(allowAlso({ 'type:app': ['type:sandbox'] })) },
  },
  vendorRule(undefined),
  ...Object.keys(vendorSdks).map(vendorRule),
  {
    // One place reads the environment; configuration reaches everything else as values.
    files: ['{apps,libs}/**/*.ts'],
    ignores: [
      ...specs,
      'apps/*/src/main.ts',
      'apps/*/src/*/main.ts',
      'apps/*-e2e/**',
      'libs/bot/src/process-environment.ts',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only main.ts reads the environment.' },
      ],
    },
  },
  {
    files: ['tools/sandbox/**/*.ts', 'apps/*-e2e/**/*.ts'],
    ignores: ['**/reset-connection.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { property: 'resetAndDestroy', message: 'Use resetConnection: some sockets would never close.' },
      ],
    },
  },
  {
    files: ['**/package.json'],
    languageOptions: { parser: await import('jsonc-eslint-parser') },
    rules: {
      '@nx/dependency-checks': ['error', dependencyChecks],
    },
  },
  {
    // The workspace's libraries are bundled; what they import and is not bundled is a dependency of the bundle.
    files: ['libs/bot/package.json'],
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ...dependencyChecks,
          ignoredDependencies: [
            '@google-cloud/pubsub',
            '@bitbrat/envelope',
            '@bitbrat/foundation',
            '@bitbrat/message-bus',
          ],
        },
      ],
    },
  },
];
