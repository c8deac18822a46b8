import { Document, visit } from 'yaml';

/** The first line of each file that is generated whole. */
export const GENERATED_BY =
  'Generated from architecture.yaml: change it there, then run `npx nx run workspace-plugin:generate`.';

/** Values as YAML below a comment, laid out as Prettier lays it out; strings quoted, for most look like numbers or flags. */
export function renderYaml(head: readonly string[], value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.type = node.value.includes('\n') ? 'BLOCK_LITERAL' : quoteType(node.value);
    },
  });
  const comment = [GENERATED_BY, ...head].map((line) => `# ${line}`).join('\n');
  return `${comment}\n${document.toString({ lineWidth: 0, singleQuote: true })}`;
}

/** Prettier takes the quotes that need less escaping. */
function quoteType(text: string): 'QUOTE_DOUBLE' | 'QUOTE_SINGLE' {
  return text.includes("'") && !text.includes('"') ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE';
}
