import { createAsyncApi } from './asyncapi.js';
import { parseExample } from './examples.js';
import { createReadme } from './readme.js';
import { createSchemas } from './schemas.js';
import { type Files } from './staleness.js';

/**
 * All generated files, by path below `docs/contract`, before formatting. The same input gives the same bytes.
 * @param examples contents by file name without `.json`
 * @throws Error that names the example which is none
 */
export function createContract(examples: Files): Files {
  const parsed = [...examples].map(([name, content]) => parseExample(name, content)).sort(byName);
  const schemas = createSchemas();
  return new Map([
    ...Object.entries(schemas).map(([file, schema]): [string, string] => [
      `schemas/${file}`,
      JSON.stringify(schema, null, 2),
    ]),
    ['asyncapi.yaml', createAsyncApi(schemas, parsed)],
    ['README.md', createReadme(schemas, parsed)],
  ]);
}

/** Code points, so that the order is the same in every locale. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
