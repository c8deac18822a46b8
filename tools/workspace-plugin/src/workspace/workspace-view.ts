import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a workspace, as the checks see them. Paths are relative to the root, with `/`. */
export interface WorkspaceView {
  /** In alphabetical order. */
  readonly files: readonly string[];
  /** The text of a file; undefined where there is none. */
  read(file: string): string | undefined;
}

/** Folders that hold nothing written by a person. */
const LEFT_OUT = new Set([
  '.git',
  '.nx',
  '.state',
  'node_modules',
  'dist',
  'dist-local',
  'out-tsc',
  'test-output',
  'coverage',
]);

/** A view of texts that are at hand, by path. */
export function createView(texts: Readonly<Record<string, string>>): WorkspaceView {
  return {
    files: Object.keys(texts).sort(),
    read: (file) => (Object.hasOwn(texts, file) ? texts[file] : undefined),
  };
}

/** A view of the workspace on disk. Each file is read at most once, when it is first asked for. */
export function readWorkspace(root: string): WorkspaceView {
  const files = listFiles(root, '').sort();
  const known = new Set(files);
  const texts = new Map<string, string>();
  return {
    files,
    read: (file) => {
      if (!known.has(file)) return undefined;
      const text = texts.get(file) ?? readFileSync(join(root, file), 'utf8');
      texts.set(file, text);
      return text;
    },
  };
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : listFiles(root, path);
    return entry.isFile() ? [path] : [];
  });
}
