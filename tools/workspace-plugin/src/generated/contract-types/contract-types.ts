import { type WorkspaceView } from '../../workspace/workspace-view.js';
import { type GeneratedFile } from '../generated-files.js';
import { renderPythonTypes } from './python-types.js';
import { renderTypeScriptTypes } from './typescript-types.js';

const SCHEMAS = 'docs/contract/schemas';

/** What a bot reads and writes, in the order in which it is declared. */
const MESSAGES = ['ingress-envelope', 'egress-event', 'egress-outcome'];

/** The types of the contract for bots in other languages and for the library that is published. None without the schemas. */
export function contractTypeFiles(view: WorkspaceView): GeneratedFile[] {
  const texts = MESSAGES.map((name) => view.read(`${SCHEMAS}/${name}.schema.json`)).filter(
    (text) => text !== undefined,
  );
  if (texts.length < MESSAGES.length) return [];
  return [
    { file: 'libs/bot/src/contract.ts', render: () => renderTypeScriptTypes(texts) },
    { file: 'docs/examples/python-bot/bitbrat_types.py', render: () => renderPythonTypes(texts) },
  ];
}
