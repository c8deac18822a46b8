import { type Declaration, type Field, readDeclarations, type TypeNode } from './schema-model.js';
import { wrap } from './wrap.js';

const WIDTH = 105;

const HEAD = `"""The messages of the bus contract as types. Generated from docs/contract/schemas.

In the gateway's repository: \`npx nx run workspace-plugin:generate\`. Fields that are not here may come at any time: ignore them.
"""
from __future__ import annotations

from typing import Any, Dict, List, Literal, TypedDict`;

/** Words of Python that cannot be a field in a class's body. */
const KEYWORDS = new Set([
  'and',
  'as',
  'class',
  'def',
  'from',
  'global',
  'import',
  'in',
  'is',
  'not',
  'or',
  'pass',
]);

/** The schemas' types for Python 3.8 and later: \`TypedDict\`s, which cost nothing when the program runs. */
export function renderPythonTypes(schemas: readonly string[]): string {
  const declarations = readDeclarations(schemas);
  return `${[HEAD, ...inOrder(declarations).map(render)].join('\n\n\n')}\n`;
}

/** Aliases are evaluated where they stand, so each comes after those that it names. What fields name is not evaluated. */
function inOrder(declarations: readonly Declaration[]): Declaration[] {
  const ordered = new Set<Declaration>();
  const visit = (declaration: Declaration): void => {
    if (!('alias' in declaration.shape) || ordered.has(declaration)) return;
    for (const name of namesIn(declaration.shape.alias)) {
      const other = declarations.find((one) => one.name === name && one !== declaration);
      if (other !== undefined) visit(other);
    }
    ordered.add(declaration);
  };
  declarations.forEach(visit);
  return [...ordered, ...declarations.filter((one) => !ordered.has(one))];
}

function render({ description, name, shape }: Declaration): string {
  if ('alias' in shape) {
    return [
      ...comment(description, ''),
      `${name} = ${namesIn(shape.alias).includes(name) ? 'Any' : print(shape.alias)}`,
    ].join('\n');
  }
  const required = shape.fields.filter((field) => field.required);
  const optional = shape.fields.filter((field) => !field.required);
  const keywords = required.filter((field) => KEYWORDS.has(field.name));
  const named = required.filter((field) => !KEYWORDS.has(field.name));
  const reserved = optional.find((field) => KEYWORDS.has(field.name));
  if (reserved !== undefined)
    throw new Error(`${name}.${reserved.name}: an optional field with a name that Python reserves`);
  const parts: string[] = [];
  let base = 'TypedDict';
  if (keywords.length > 0) {
    base = `_${name}Keywords`;
    const fields = keywords.map((field) => `"${field.name}": "${print(field.type)}"`).join(', ');
    parts.push(`${base} = TypedDict("${base}", {${fields}})`);
  }
  if (optional.length > 0 && named.length > 0) {
    parts.push(['class ' + `_${name}Required(${base}):`, ...named.flatMap(declare)].join('\n'));
    base = `_${name}Required`;
  }
  const last = optional.length > 0 ? optional : named;
  const total = optional.length > 0 ? ', total=False' : '';
  parts.push(
    [`class ${name}(${base}${total}):`, ...docstring(description), ...last.flatMap(declare)].join('\n'),
  );
  return parts.join('\n\n\n');
}

function declare(field: Field): string[] {
  return [...comment(field.description, '    '), `    ${field.name}: ${print(field.type)}`];
}

function print(type: TypeNode): string {
  switch (type.kind) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'null':
      return 'None';
    case 'number':
      return 'float';
    case 'integer':
      return 'int';
    case 'literals':
      return `Literal[${type.values.map((value) => `"${value}"`).join(', ')}]`;
    case 'ref':
      return type.name;
    case 'array':
      return `List[${print(type.items)}]`;
    case 'map':
      return `Dict[str, ${print(type.values)}]`;
    case 'union':
      return 'Any';
  }
}

/** The named types that a type is made of. */
function namesIn(type: TypeNode): string[] {
  switch (type.kind) {
    case 'ref':
      return [type.name];
    case 'array':
      return namesIn(type.items);
    case 'map':
      return namesIn(type.values);
    case 'union':
      return type.of.flatMap(namesIn);
    default:
      return [];
  }
}

function docstring(text: string): string[] {
  return text === '' ? [] : [`    """${text.replaceAll('"', "'")}"""`, ''];
}

function comment(text: string, indent: string): string[] {
  return wrap(text, WIDTH - indent.length - 2).map((line) => `${indent}# ${line}`);
}
