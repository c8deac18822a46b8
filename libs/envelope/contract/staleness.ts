/** Contents by path below `docs/contract`. */
export type Files = ReadonlyMap<string, string>;

/**
 * What committed files differ from generated ones, one line each, by name; nothing where all are fresh.
 * @param committed all files of the folders that are generated
 */
export function findStaleFiles(generated: Files, committed: Files): string[] {
  const stale = [...generated].flatMap(([path, content]) => {
    const found = committed.get(path);
    if (found === undefined) return [`${path}: missing`];
    return found === content ? [] : [`${path}: differs at line ${firstDifference(found, content)}`];
  });
  const left = [...committed.keys()].filter((path) => !generated.has(path));
  return [...stale, ...left.map((path) => `${path}: is generated no more, delete it`)];
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const index = left.findIndex((line, at) => line !== right[at]);
  return (index < 0 ? left.length : index) + 1;
}
