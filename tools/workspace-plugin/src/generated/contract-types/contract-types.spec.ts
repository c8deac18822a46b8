import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { createView } from '../../workspace/workspace-view.js';
import { contractTypeFiles } from './contract-types.js';
import { renderPythonTypes } from './python-types.js';
import { readDeclarations } from './schema-model.js';
import { renderTypeScriptTypes } from './typescript-types.js';

const SCHEMAS = join(__dirname, '../../../../../docs/contract/schemas');

const schemaFiles = readdirSync(SCHEMAS);
const messageTexts = schemaFiles
  .filter((file) => !file.startsWith('bus-attributes'))
  .map((file) => readFileSync(join(SCHEMAS, file), 'utf8'));

const schema = (properties: object, required: readonly string[] = Object.keys(properties)): string =>
  JSON.stringify({ title: 'Message', description: 'What */ it is.', type: 'object', properties, required });

/** The faults that the compiler finds in a source that stands alone. */
function compile(source: string): string[] {
  const file = 'types.ts';
  const host = ts.createCompilerHost({});
  const known = host.getSourceFile.bind(host);
  const sourceFile = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
  host.getSourceFile = (name, ...rest) => (name === file ? sourceFile : known(name, ...rest));
  const program = ts.createProgram(
    [file],
    { strict: true, noEmit: true, types: [], lib: ['lib.es2022.d.ts'] },
    host,
  );
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const runPython = (source: string): { status: number | null; stderr: string | null } =>
  spawnSync('python3', ['-'], { input: source, encoding: 'utf8' });

describe('types from the schemas of the contract', () => {
  it('are TypeScript that compiles alone, for every message', () => {
    expect(compile(renderTypeScriptTypes(messageTexts))).toEqual([]);
  });

  it('declare each type once', () => {
    const names = readDeclarations(messageTexts).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['IngressEnvelope', 'EgressEvent', 'EgressOutcome', 'Sender']),
    );
  });

  it('say what is required, what is allowed, and what it means', () => {
    const text = renderTypeScriptTypes([
      schema(
        {
          id: { type: 'string', description: 'The id.' },
          kind: { type: 'string', enum: ['a', 'b'] },
          sizes: { type: 'array', items: { type: 'integer' } },
          inner: { type: 'object', properties: { at: { type: 'number' } }, required: [] },
        },
        ['id', 'kind'],
      ),
    ]);
    expect(text).toContain(
      '/** What * / it is. */\nexport type Message = {\n  /** The id. */\n  id: string;',
    );
    expect(text).toContain(
      "  kind: 'a' | 'b';\n  sizes?: number[] | undefined;\n  inner?: MessageInner | undefined;",
    );
    expect(text).toContain('export type MessageInner = {\n  at?: number | undefined;\n};');
  });

  it('are Python that runs where there is Python, for every message', () => {
    const { status, stderr } = runPython(renderPythonTypes(messageTexts));
    // Python 3 is not needed to develop the gateway; the suites that run bots in Python fail where it is missing in CI.
    expect([0, null]).toContain(status);
    expect(stderr ?? '').toBe('');
  });

  it('give fields whose names Python reserves a place', () => {
    const text = renderPythonTypes([
      schema({ from: { type: 'string' }, id: { type: 'string' }, note: { type: 'string' } }, ['from', 'id']),
    ]);
    expect(text).toContain('_MessageKeywords = TypedDict("_MessageKeywords", {"from": "str"})');
    expect(text).toContain('class _MessageRequired(_MessageKeywords):\n    id: str');
    expect(text).toContain('class Message(_MessageRequired, total=False):');
  });

  it('are refused for a schema that the generator does not understand, by name', () => {
    expect(() => renderTypeScriptTypes([schema({ odd: { not: {} } })])).toThrow(/^MessageOdd: .* not$/);
  });

  it('are files of the workspace where it has the schemas', () => {
    const texts = Object.fromEntries(
      schemaFiles.map((file) => [`docs/contract/schemas/${file}`, readFileSync(join(SCHEMAS, file), 'utf8')]),
    );
    expect(contractTypeFiles(createView(texts)).map(({ file }) => file)).toEqual([
      'libs/bot/src/contract.ts',
      'docs/examples/python-bot/bitbrat_types.py',
    ]);
    expect(contractTypeFiles(createView({}))).toEqual([]);
  });
});
