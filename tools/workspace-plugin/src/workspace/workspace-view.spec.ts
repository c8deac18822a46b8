import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatFinding, lineOf } from './finding.js';
import { connectorsOf, projectsOf } from './projects.js';
import { createView, readWorkspace } from './workspace-view.js';

describe('readWorkspace', () => {
  const root = mkdtempSync(join(tmpdir(), 'workspace-'));

  beforeAll(() => {
    for (const folder of ['libs/a/src', 'libs/a/node_modules/x', 'libs/a/dist', '.git']) {
      mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, folder, 'file.ts'), folder);
    }
    writeFileSync(join(root, 'architecture.yaml'), 'version: 1');
  });

  afterAll(() => rmSync(root, { recursive: true }));

  it('sees what people write, and nothing that was installed or built', () => {
    const view = readWorkspace(root);
    expect(view.files).toEqual(['architecture.yaml', 'libs/a/src/file.ts']);
    expect(view.read('libs/a/src/file.ts')).toBe('libs/a/src');
    expect(view.read('libs/a/dist/file.ts')).toBeUndefined();
    expect(view.read('missing')).toBeUndefined();
  });
});

describe('projectsOf', () => {
  it('reads names and tags, and passes over what is no project', () => {
    const view = createView({
      'libs/a/package.json': '{ "name": "@x/a", "nx": { "name": "a", "tags": ["type:model", 1] } }',
      'libs/b/package.json': '{ "name": "b" }',
      'libs/c/package.json': 'no JSON',
      'libs/c/src/package.json': '{ "name": "deep" }',
      'tools/d/package.json': '[]',
    });
    expect(projectsOf(view)).toEqual([
      { name: 'a', root: 'libs/a', tags: ['type:model'] },
      { name: 'b', root: 'libs/b', tags: [] },
    ]);
  });
});

describe('connectorsOf', () => {
  it('knows connectors by their folders', () => {
    const files = [
      'core/src/a.ts',
      'testing/src/a.ts',
      'twilio/src/a.ts',
      'twilio/package.json',
      'my-chat/README.md',
    ];
    const view = createView(Object.fromEntries(files.map((file) => [`libs/connectors-${file}`, ''])));
    expect(connectorsOf(view)).toEqual(['my-chat', 'twilio']);
  });
});

describe('formatFinding', () => {
  it('names file, line, rule and cure', () => {
    const finding = { file: 'a.ts', line: 3, rule: 'rule', message: 'is wrong', cure: 'mend it' };
    expect(formatFinding(finding)).toBe('a.ts:3  rule: is wrong\n    cure: mend it');
  });
});

describe('lineOf', () => {
  it.each([
    ['a\nb\nc', 'b', 2],
    ['a', 'a', 1],
    ['a\nb', 'x', 1],
  ])('of %j finds %j in line %i', (text, needle, line) => {
    expect(lineOf(text, needle)).toBe(line);
  });
});
