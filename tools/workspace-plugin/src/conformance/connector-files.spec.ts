import { createView } from '../workspace/workspace-view.js';
import { checkConnectorFiles } from './connector-files.js';

const ROOT = 'libs/connectors-my-chat';

const COMPLETE: Readonly<Record<string, string>> = {
  'eslint.config.mjs': `const vendorSdks = { '${ROOT}': ['my-chat-sdk'] };`,
  ...Object.fromEntries(
    [
      ['README.md', ''],
      ['package.json', '{}'],
      ['jest.config.cjs', ''],
      ['jest.int.config.cjs', ''],
      ['tsconfig.json', ''],
      ['tsconfig.lib.json', ''],
      ['tsconfig.spec.json', ''],
      [
        'src/index.ts',
        `export { type MyChatConfig, myChatConfigSchema } from './config.js';\nexport function createMyChatConnector() {}`,
      ],
      ['src/config.ts', 'export const myChatConfigSchema = 1;'],
      ['src/capabilities.ts', ''],
      ['src/my-chat-ingress-client.ts', 'export class MyChatIngressClient {}'],
      ['src/inbound/my-chat-envelope-builder.ts', 'export class MyChatEnvelopeBuilder {}'],
      ['src/connector-adapter.ts', 'export class MyChatConnectorAdapter {}'],
      ['src/platform/errors.ts', ''],
      ['src/session/sdk.ts', ''],
      ['src/fixtures/messages.json', '[]'],
    ].map(([file, text]) => [`${ROOT}/${file ?? ''}`, text ?? '']),
  ),
};

const filesOf = (texts: Readonly<Record<string, string>>): string[] =>
  checkConnectorFiles(createView(texts)).map(({ file, message }) => `${file}: ${message}`);

describe('checkConnectorFiles', () => {
  it('is content with a connector that has them all', () => {
    expect(filesOf(COMPLETE)).toEqual([]);
  });

  it.each(Object.keys(COMPLETE).filter((file) => file.startsWith(ROOT) && !file.includes('fixtures')))(
    'misses %s',
    (missing) => {
      const { [missing]: _gone, ...rest } = COMPLETE;
      expect(filesOf(rest)).toEqual([`${missing}: the file is missing`]);
    },
  );

  it('misses fixtures', () => {
    const { [`${ROOT}/src/fixtures/messages.json`]: _gone, ...rest } = COMPLETE;
    expect(filesOf(rest)).toEqual([`${ROOT}/src/fixtures: the folder is missing or empty`]);
  });

  it.each([
    ['index.ts', 'createMyChatConnector'],
    ['config.ts', 'myChatConfigSchema'],
    ['my-chat-ingress-client.ts', 'MyChatIngressClient'],
    ['inbound/my-chat-envelope-builder.ts', 'MyChatEnvelopeBuilder'],
    ['connector-adapter.ts', 'MyChatConnectorAdapter'],
  ])('misses in %s the name %s', (file, name) => {
    const path = `${ROOT}/src/${file}`;
    const text = (COMPLETE[path] ?? '').replace(name, 'Another');
    expect(filesOf({ ...COMPLETE, [path]: text })).toEqual([`${path}: ${name} is not exported`]);
  });

  it('wants no sdk.ts of a connector without a vendor package', () => {
    const { [`${ROOT}/src/session/sdk.ts`]: _gone, 'eslint.config.mjs': _table, ...rest } = COMPLETE;
    expect(filesOf(rest)).toEqual([]);
  });

  it('leaves alone what is no connector', () => {
    expect(
      filesOf({ 'libs/connectors-core/src/index.ts': '', 'libs/connectors-testing/src/index.ts': '' }),
    ).toEqual([]);
  });
});
