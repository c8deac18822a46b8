import { isMap, isPair, isScalar, isSeq, parseDocument, type Range } from 'yaml';
import { type ConnectorNames } from './connector-names.js';

/**
 * `architecture.yaml` with a block of variables for the connector, behind the other connectors, and its secret.
 *
 * The text is edited where it must be and nowhere else, so that comments and layout stay.
 * @throws Error where `variables` or `secrets` is missing
 */
export function addToArchitecture(text: string, names: ConnectorNames): string {
  const document = parseDocument(text);
  const variables: unknown = document.get('variables');
  const secrets: unknown = document.get('secrets');
  if (!isMap(variables) || !isSeq(secrets))
    throw new Error('architecture.yaml has no variables or no secrets');
  const connectors = variables.items.filter(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value).startsWith('connectors-'),
  );
  const last: unknown = connectors.at(-1)?.value ?? variables;
  const withSecret = insertBehind(text, rangeOf(secrets), secretBlock(names));
  return insertBehind(withSecret, rangeOf(last), `\n${variablesBlock(names)}`);
}

function rangeOf(node: unknown): Range {
  const range = isMap(node) || isSeq(node) ? node.range : undefined;
  if (!range) throw new Error('architecture.yaml cannot be edited: add the block by hand');
  return range;
}

/** Behind the last line of the node that holds more than white space or a comment of what follows. */
function insertBehind(text: string, [, end]: Range, block: string): string {
  const body = text.slice(0, end).trimEnd();
  return `${body}\n${block}${text.slice(body.length + 1)}`;
}

function secretBlock({ constant, name }: ConnectorNames): string {
  return `  - { variable: ${constant}_TOKEN, secret: ${name}-token }\n`;
}

function variablesBlock({ constant, name }: ConnectorNames): string {
  return `  connectors-${name}:
    - name: ${constant}_ENABLED
      type: boolean
      default: 'false'
      meaning: whether the connector runs
    - name: ${constant}_TOKEN
      type: string
      secret: true
      requiredWhen: ${constant}_ENABLED is true
      meaning: the bot's token
    - name: ${constant}_API_URL
      type: url
      requiredWhen: ${constant}_ENABLED is true
      meaning: base of the platform's REST API
`;
}
