import { type Declaration, type Field, readDeclarations, type TypeNode } from './schema-model.js';
import { wrap } from './wrap.js';

const WIDTH = 105;

const HEAD = '// Generated from docs/contract/schemas: run `npx nx run workspace-plugin:generate`.';

/**
 * The schemas' types in TypeScript, without an import: they can be published as they are. Unknown fields are not declared; they
 * are kept by whoever reads and writes the JSON.
 */
export function renderTypeScriptTypes(schemas: readonly string[]): string {
  return `${[HEAD, ...readDeclarations(schemas).map(render)].join('\n\n')}\n`;
}

function render({ description, name, shape }: Declaration): string {
  const head = comment(description, '');
  if ('alias' in shape) return [...head, ...alias(name, shape.alias)].join('\n');
  const fields = shape.fields.flatMap((field) => [
    ...comment(field.description, '  '),
    `  ${declare(field)}`,
  ]);
  // Not an interface: it would not be assignable to a type that allows unknown fields.
  return [...head, `export type ${name} = {`, ...fields, '};'].join('\n');
}

/** Long unions are laid out as Prettier does. */
function alias(name: string, type: TypeNode): string[] {
  const line = `export type ${name} = ${print(type)};`;
  if (line.length <= WIDTH || type.kind !== 'union') return [line];
  return [`export type ${name} =`, ...type.of.map((one) => `  | ${print(one)}`)].map((text, at, all) =>
    at === all.length - 1 ? `${text};` : text,
  );
}

function declare({ name, required, type }: Field): string {
  return required ? `${name}: ${print(type)};` : `${name}?: ${print(type)} | undefined;`;
}

function print(type: TypeNode): string {
  switch (type.kind) {
    case 'string':
    case 'boolean':
    case 'null':
      return type.kind;
    case 'number':
    case 'integer':
      return 'number';
    case 'literals':
      return type.values.map((value) => `'${value}'`).join(' | ');
    case 'ref':
      return type.name;
    case 'array':
      return `${bracketed(type.items)}[]`;
    case 'map':
      return `{ [key: string]: ${print(type.values)} }`;
    case 'union':
      return type.of.map(print).join(' | ');
  }
}

function bracketed(type: TypeNode): string {
  const isUnion = type.kind === 'union' || (type.kind === 'literals' && type.values.length > 1);
  return isUnion ? `(${print(type)})` : print(type);
}

function comment(text: string, indent: string): string[] {
  if (text === '') return [];
  const safe = text.replaceAll('*/', '* /');
  if (safe.length <= WIDTH - indent.length - 7) return [`${indent}/** ${safe} */`];
  const lines = wrap(safe, WIDTH - indent.length - 3).map((line) => `${indent} * ${line}`);
  return [`${indent}/**`, ...lines, `${indent} */`];
}
