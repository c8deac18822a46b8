import { type AnySchemaObject, Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { type Finding } from '../workspace/finding.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { type Architecture } from './architecture.js';
import { checkConsistency, type Fault, type Locate } from './consistency.js';

/** The one source of what is generated. */
export const ARCHITECTURE_FILE = 'architecture.yaml';
const SCHEMA_FILE = 'tools/workspace-plugin/src/architecture/architecture.schema.json';
const RULE = 'architecture.yaml';

/** The architecture, or all that is wrong with the file, by line. */
export type ArchitectureResult =
  | { readonly ok: true; readonly architecture: Architecture }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Reads and checks `architecture.yaml` of a workspace. */
export function readArchitecture(view: WorkspaceView): ArchitectureResult {
  const text = view.read(ARCHITECTURE_FILE);
  const schema = view.read(SCHEMA_FILE);
  if (text === undefined || schema === undefined) {
    const file = text === undefined ? ARCHITECTURE_FILE : SCHEMA_FILE;
    return failed([{ line: 1, message: 'the file is missing', cure: `restore ${file}` }], file);
  }
  return parseArchitecture(text, schema);
}

/** @param schema text of the JSON Schema */
export function parseArchitecture(text: string, schema: string): ArchitectureResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return failed(
      document.errors.map(({ linePos, message }) => ({
        line: linePos?.[0].line ?? 1,
        message: message.split('\n', 1)[0] ?? message,
        cure: 'correct the YAML',
      })),
    );
  }
  const locate: Locate = (path) => lineAt(document, lines, path);
  const parsedSchema = JSON.parse(schema) as AnySchemaObject; // ajv checks it against the meta schema
  const isArchitecture: ValidateFunction<Architecture> = new Ajv({
    allErrors: true,
    verbose: true,
  }).compile<Architecture>(parsedSchema);
  const data: unknown = document.toJS();
  if (!isArchitecture(data)) return failed(toFaults(isArchitecture.errors ?? [], locate));
  const faults = checkConsistency(data, locate);
  return faults.length === 0 ? { ok: true, architecture: data } : failed(faults);
}

function failed(faults: readonly Fault[], file = ARCHITECTURE_FILE): ArchitectureResult {
  return { ok: false, findings: faults.map((fault) => ({ file, rule: RULE, ...fault })) };
}

function toFaults(errors: readonly ErrorObject[], locate: Locate): Fault[] {
  return errors
    .filter(({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames')
    .map((error) => {
      const path = error.instancePath.split('/').slice(1).map(unescapePointer);
      const [message, cure] = explain(error);
      return { line: locate(path), message: `${path.join('.') || 'the file'} ${message}`, cure };
    });
}

function explain(error: ErrorObject): [message: string, cure: string] {
  const parameters: Readonly<Record<string, unknown>> = error.params;
  const of = (key: string): string => JSON.stringify(parameters[key]).replaceAll('"', '');
  switch (error.keyword) {
    case 'required':
      return [`has no ${of('missingProperty')}`, `add ${of('missingProperty')}`];
    case 'additionalProperties':
      return [
        `has an unknown key ${of('additionalProperty')}`,
        `correct its spelling or remove it; known keys: ${knownKeys(error.parentSchema)}`,
      ];
    case 'enum':
      return ['has a value that is not known', `use one of ${of('allowedValues')}`];
    case 'const':
      return ['has another value than expected', `use ${of('allowedValue')}`];
    case 'type':
      return [
        `is no ${of('type')}`,
        `make it a ${of('type')}; quote numbers and true or false to make strings`,
      ];
    case 'pattern':
      return ['is not written as expected', `make it match ${of('pattern')}`];
    case 'false schema':
      return ['does not belong here', 'remove it: it has no meaning with the other values beside it'];
    default:
      return [error.message ?? error.keyword, `correct it, see ${SCHEMA_FILE}`];
  }
}

function knownKeys(schema: AnySchemaObject | undefined): string {
  const properties: unknown = schema?.['properties'];
  return typeof properties === 'object' && properties !== null ? Object.keys(properties).join(', ') : 'none';
}

/** The line of the deepest part of the path that there is. */
function lineAt(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** JSON Pointer, RFC 6901 section 4. */
function unescapePointer(part: string): string | number {
  const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(text) ? Number(text) : text;
}
