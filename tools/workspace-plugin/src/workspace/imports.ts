import * as ts from 'typescript';
import { nodesOf, type Source } from './source.js';

/** One import of a module. */
export interface ModuleImport {
  readonly specifier: string;
  /** `types`: nothing is loaded. `static`: loaded with the file. `dynamic`: loaded when the code gets there. */
  readonly kind: 'types' | 'static' | 'dynamic';
  readonly node: ts.Node;
}

/** All imports of a file, re-exports and `require` included. */
export function importsOf({ tree }: Source): ModuleImport[] {
  const imports: ModuleImport[] = [];
  for (const node of nodesOf(tree)) {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const kind = importsTypesOnly(node.importClause) ? 'types' : 'static';
      imports.push({ specifier: node.moduleSpecifier.text, kind, node });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const kind = exportsTypesOnly(node) ? 'types' : 'static';
      imports.push({ specifier: node.moduleSpecifier.text, kind, node });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) imports.push({ specifier: literal.text, kind: 'types', node });
    } else if (ts.isCallExpression(node)) {
      const [argument] = node.arguments;
      const dynamic = node.expression.kind === ts.SyntaxKind.ImportKeyword;
      const required = ts.isIdentifier(node.expression) && node.expression.text === 'require';
      if (argument && ts.isStringLiteralLike(argument) && (dynamic || required)) {
        imports.push({ specifier: argument.text, kind: dynamic ? 'dynamic' : 'static', node });
      }
    }
  }
  return imports;
}

function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

function exportsTypesOnly({ exportClause, isTypeOnly }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  return (
    exportClause !== undefined &&
    ts.isNamedExports(exportClause) &&
    exportClause.elements.every((element) => element.isTypeOnly)
  );
}
