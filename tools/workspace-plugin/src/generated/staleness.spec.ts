import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, variablesOf } from '../architecture/architecture.js';
import { parseArchitecture } from '../architecture/read-architecture.js';
import { createView } from '../workspace/workspace-view.js';
import { renderConfigTable } from './config-table.js';
import { DEPLOYMENT_FILES } from './deployment-files.js';
import { renderEnvExample } from './env-example.js';
import { MissingMarkerError, replaceBlock } from './marked-block.js';
import { compareGenerated, staleFindings } from './staleness.js';

const ROOT = join(__dirname, '../../../..');

function ownArchitecture(): Architecture {
  const schema = readFileSync(join(__dirname, '../architecture/architecture.schema.json'), 'utf8');
  const result = parseArchitecture(readFileSync(join(ROOT, 'architecture.yaml'), 'utf8'), schema);
  if (!result.ok) throw new Error('architecture.yaml is not valid');
  return result.architecture;
}

const architecture = ownArchitecture();
const MARKERS =
  '# App\n\n## Configuration\n\n<!-- generated:config -->\n<!-- /generated:config -->\n\n## Tests\n';

const WORKSPACE: Readonly<Record<string, string>> = {
  'apps/ingress-egress/package.json': '{ "name": "ingress-egress" }',
  'apps/ingress-egress/README.md': MARKERS,
  'libs/message-bus/package.json': '{ "name": "message-bus" }',
  'libs/message-bus/README.md': 'nothing is generated here',
};

/** The workspace after `generate`. */
function generated(texts: Readonly<Record<string, string>>): Record<string, string> {
  const { stale } = compareGenerated(architecture, createView(texts));
  return { ...texts, ...Object.fromEntries(stale.map(({ file, text }) => [file, text])) };
}

describe('compareGenerated', () => {
  it('makes the file of settings and the tables of the READMEs that have settings', () => {
    const { stale } = compareGenerated(architecture, createView(WORKSPACE));
    expect(stale.map(({ file }) => file)).toEqual([
      '.env.example',
      'apps/ingress-egress/src/settings/known-variables.ts',
      ...DEPLOYMENT_FILES.map(({ file }) => file),
      'apps/ingress-egress/README.md',
    ]);
  });

  it('makes the same from a second run', () => {
    expect(compareGenerated(architecture, createView(generated(WORKSPACE)))).toEqual({
      stale: [],
      findings: [],
    });
  });

  it('names a stale file and the line', () => {
    const texts = generated(WORKSPACE);
    const readme = (texts['apps/ingress-egress/README.md'] ?? '').replace('`3000`', '`3001`');
    const view = createView({ ...texts, 'apps/ingress-egress/README.md': readme });
    const [finding] = staleFindings(compareGenerated(architecture, view));
    const line = readme.split('\n').findIndex((text) => text.includes('3001')) + 1;
    expect(finding).toMatchObject({ file: 'apps/ingress-egress/README.md', line, rule: 'generated file' });
  });

  it('names each file that a change of architecture.yaml makes stale', () => {
    const variables = Object.fromEntries(
      Object.entries(architecture.variables).map(([owner, list]) => [
        owner,
        list.map((variable) => (variable.name === 'PORT' ? { ...variable, default: '8080' } : variable)),
      ]),
    );
    const findings = staleFindings(
      compareGenerated({ ...architecture, variables }, createView(generated(WORKSPACE))),
    );
    expect(findings.map(({ file }) => file)).toEqual(['.env.example', 'apps/ingress-egress/README.md']);
  });

  it('says where markers are missing, and leaves the rest to be generated', () => {
    const texts = { ...WORKSPACE, 'apps/ingress-egress/README.md': '# App\n\n## Configuration\n' };
    const { findings, stale } = compareGenerated(architecture, createView(texts));
    expect(findings).toMatchObject([{ file: 'apps/ingress-egress/README.md', line: 3 }]);
    expect(stale.map(({ file }) => file)).toEqual([
      '.env.example',
      'apps/ingress-egress/src/settings/known-variables.ts',
      ...DEPLOYMENT_FILES.map(({ file }) => file),
    ]);
  });
});

describe('replaceBlock', () => {
  it('keeps what stands around the markers', () => {
    const text = replaceBlock(MARKERS, 'config', 'table');
    expect(text).toBe(
      '# App\n\n## Configuration\n\n<!-- generated:config -->\n\ntable\n\n<!-- /generated:config -->\n\n## Tests\n',
    );
    expect(replaceBlock(text, 'config', 'table')).toBe(text);
  });

  it.each(['', '<!-- generated:config -->', '<!-- /generated:config --> <!-- generated:config -->'])(
    'refuses a text without both markers in order: %j',
    (text) => {
      expect(() => replaceBlock(text, 'config', 'table')).toThrow(MissingMarkerError);
    },
  );
});

describe('renderConfigTable', () => {
  it('lays a row out for each variable that a person sets', () => {
    const table = renderConfigTable([
      { name: 'A_PORT', type: 'integer', minimum: 0, maximum: 9, default: '3', meaning: 'a | b' },
      {
        name: 'A_TOKEN',
        type: 'string',
        secret: true,
        requiredWhen: 'A_ENABLED is true',
        meaning: 'the token',
      },
      { name: 'K_SERVICE', type: 'string', providedBy: 'cloud-run', meaning: 'set for us' },
    ]);
    expect(table.split('\n')).toEqual([
      '| variable  | type                 | default                           | meaning           |',
      '| --------- | -------------------- | --------------------------------- | ----------------- |',
      '| `A_PORT`  | whole number, 0 to 9 | `3`                               | a \\| b            |',
      '| `A_TOKEN` | text                 | required when `A_ENABLED` is true | the token. Secret |',
    ]);
  });
});

describe('renderEnvExample', () => {
  const text = renderEnvExample(architecture);

  it('names each variable that a person sets once, commented out', () => {
    const names = [...text.matchAll(/^#([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
    const expected = variablesOf(architecture).filter(({ providedBy }) => providedBy === undefined);
    expect(names).toEqual(expected.map(({ name }) => name));
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('holds no value of a secret', () => {
    for (const { variable } of architecture.secrets) {
      expect(text).toContain(`#${variable}=\n`);
    }
  });
});
