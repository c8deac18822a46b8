import { type Finding } from '../workspace/finding.js';
import { importsOf, type ModuleImport } from '../workspace/imports.js';
import { isTestFile, lineOfNode, type Source, sourcesOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { type VendorPackage, vendorPackagesOf } from './vendor-packages.js';

const RULE = 'vendor import';
/** The one file of a project through which a vendor's package is loaded. */
const LIBRARY_FILE = /\/src\/(?:session\/sdk|pubsub\/pubsub-library|firestore\/firestore-library)\.ts$/;
const LIBRARY_SPECIFIER = /^\.{1,2}\/(?:.*\/)?(?:sdk|pubsub-library|firestore-library)\.js$/;

/**
 * A vendor's package is loaded in one file of its own project, and that file when the connector starts: a disabled connector costs no
 * memory and no start-up time. The sandbox's tests may use all of them: they prove it with the vendors' own clients.
 */
export function checkVendorImports(view: WorkspaceView): Finding[] {
  const packages = vendorPackagesOf(view);
  return sourcesOf(view).flatMap((source) =>
    importsOf(source).flatMap((found) => {
      const fault = judge(source, found, packages);
      if (fault === undefined) return [];
      return [{ file: source.file, line: lineOfNode(source, found.node), rule: RULE, ...fault }];
    }),
  );
}

function judge(
  { file }: Source,
  { kind, specifier }: ModuleImport,
  packages: readonly VendorPackage[],
): Pick<Finding, 'message' | 'cure'> | undefined {
  if (file.startsWith('tools/') || kind === 'types') return judgeForeign(file, specifier, packages);
  if (isTestFile(file)) return judgeForeign(file, specifier, packages);
  if (kind === 'static' && LIBRARY_SPECIFIER.test(specifier)) {
    const cure = `load it when it is needed: await import('${specifier}')`;
    return { message: `${specifier} is loaded together with this file`, cure };
  }
  const owner = ownerOf(specifier, packages);
  if (owner === undefined) return undefined;
  if (!file.startsWith(`${owner}/`)) return judgeForeign(file, specifier, packages);
  if (LIBRARY_FILE.test(file)) return undefined;
  return {
    message: `${specifier} is loaded beside the one file for it`,
    cure: `re-export what is needed by name in ${owner}/src/session/sdk.ts (of a CommonJS package a bundler keeps no more) and import that file when it is needed; types may be imported anywhere in the project, with \`type\``,
  };
}

function judgeForeign(
  file: string,
  specifier: string,
  packages: readonly VendorPackage[],
): Pick<Finding, 'message' | 'cure'> | undefined {
  const owner = ownerOf(specifier, packages);
  if (owner === undefined || file.startsWith(`${owner}/`)) return undefined;
  if (/^tools\/[^/]+\/.+(?:\.(?:spec|e2e)|\/testing\/[^/]+)\.ts$|^tools\/[^/]+\/.+\.mjs$/.test(file))
    return undefined;
  return {
    message: `${specifier} belongs to ${owner}`,
    cure: `use what ${owner} offers, or move the code there`,
  };
}

function ownerOf(specifier: string, packages: readonly VendorPackage[]): string | undefined {
  return packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`))?.owner;
}
