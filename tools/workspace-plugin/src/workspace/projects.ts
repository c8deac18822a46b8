import { type WorkspaceView } from './workspace-view.js';

/** A project of the workspace, read from its `package.json`. */
export interface Project {
  /** As Nx knows it: `connectors-twilio`. */
  readonly name: string;
  /** Its folder: `libs/connectors-twilio`. */
  readonly root: string;
  readonly tags: readonly string[];
}

/** Libraries named `connectors-…` that are no connector. */
const NOT_CONNECTORS = new Set(['connectors-core', 'connectors-testing']);

/** All projects, in the order of their folders. */
export function projectsOf(view: WorkspaceView): Project[] {
  return view.files.flatMap((file) => {
    const root = /^((?:apps|libs|tools)\/[^/]+)\/package\.json$/.exec(file)?.[1];
    const manifest = root === undefined ? undefined : parseManifest(view.read(file));
    return root === undefined || manifest === undefined ? [] : [{ root, ...manifest }];
  });
}

/** The connectors' names (`twilio`), known by their folders. */
export function connectorsOf(view: WorkspaceView): string[] {
  const folders = view.files.flatMap((file) => /^libs\/(connectors-[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(folders)]
    .filter((folder) => !NOT_CONNECTORS.has(folder))
    .map((folder) => folder.replace('connectors-', ''));
}

function parseManifest(text: string | undefined): { name: string; tags: readonly string[] } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
  if (!isRecord(json)) return undefined;
  const nx = isRecord(json['nx']) ? json['nx'] : {};
  const name = nx['name'] ?? json['name'];
  const tags = Array.isArray(nx['tags']) ? nx['tags'] : [];
  return typeof name === 'string' ? { name, tags: tags.filter((tag) => typeof tag === 'string') } : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
