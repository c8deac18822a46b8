import { type Variable } from '../architecture/architecture.js';
import { describeType } from './describe-type.js';

/** A Markdown table of a project's environment variables, laid out as Prettier lays out tables. */
export function renderConfigTable(variables: readonly Variable[]): string {
  const rows = variables
    .filter(({ providedBy }) => providedBy === undefined)
    .map((variable) => [
      `\`${variable.name}\``,
      describeType(variable),
      defaultCell(variable),
      `${variable.meaning}${variable.secret === true ? '. Secret' : ''}`,
    ]);
  return layOut([['variable', 'type', 'default', 'meaning'], ...rows]);
}

function defaultCell({ default: value, requiredWhen }: Variable): string {
  if (requiredWhen !== undefined)
    return `required when ${requiredWhen.replace(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g, '`$&`')}`;
  return value === undefined ? '' : `\`${value}\``;
}

function layOut(table: readonly (readonly string[])[]): string {
  const cells = table.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(3, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width, fill)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line([], '-'), ...body.map((row) => line(row))].join('\n');
}
