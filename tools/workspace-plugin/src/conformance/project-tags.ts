import { type Finding, lineOf } from '../workspace/finding.js';
import { projectsOf } from '../workspace/projects.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

/** Who is what: the module boundaries in eslint.config.mjs bind by these tags. The first row that matches counts. */
const TAGS: readonly (readonly [project: RegExp, tags: (match: RegExpExecArray) => readonly string[]])[] = [
  [/^foundation$/, () => ['scope:shared', 'type:foundation']],
  [/^envelope$/, () => ['scope:shared', 'type:model']],
  [/^(?:message-bus|state-store)$/, () => ['scope:shared', 'type:transport']],
  [/^bot$/, () => ['scope:bot', 'type:bot']],
  [/^bot-.+$/, () => ['scope:bot', 'type:bot-app']],
  [/^connectors-core$/, () => ['scope:core', 'type:contract']],
  [/^connectors-testing$/, () => ['scope:core', 'type:testing']],
  [/^connectors-(.+)$/, ([, name = '']) => ['scope:connector', 'type:adapter', `platform:${name}`]],
  [/^.+-e2e$/, () => ['scope:app', 'type:e2e']],
  [/^(?:ingress-egress|console)$/, () => ['scope:app', 'type:app']],
  [/^sandbox$/, () => ['scope:tooling', 'type:sandbox']],
  [/^emulators$/, () => ['scope:tooling', 'type:emulator']],
  [/^workspace-plugin$/, () => ['scope:tooling', 'type:plugin']],
];

/** A project without its tags may import anything. */
export function checkProjectTags(view: WorkspaceView): Finding[] {
  return projectsOf(view).flatMap(({ name, root, tags }) => {
    const file = `${root}/package.json`;
    const found = { file, line: lineOf(view.read(file) ?? '', '"tags"'), rule: 'project tags' };
    const expected = tagsOf(name);
    if (expected === undefined) {
      const message = `nobody says which tags ${name} has`;
      return [
        { ...found, message, cure: 'add a row to tools/workspace-plugin/src/conformance/project-tags.ts' },
      ];
    }
    if (root.split('/').at(-1) !== name) {
      const message = `the project ${name} stands in ${root}`;
      return [{ ...found, message, cure: `name it after its folder in "nx": { "name": … }` }];
    }
    const same = expected.length === tags.length && expected.every((tag) => tags.includes(tag));
    if (same) return [];
    const message = `the tags are ${tags.join(', ') || 'none'}`;
    return [{ ...found, message, cure: `set "nx": { "tags": ${JSON.stringify(expected)} }` }];
  });
}

function tagsOf(name: string): readonly string[] | undefined {
  for (const [pattern, tags] of TAGS) {
    const match = pattern.exec(name);
    if (match !== null) return tags(match);
  }
  return undefined;
}
