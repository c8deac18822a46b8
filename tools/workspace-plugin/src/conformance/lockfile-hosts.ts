import { type Finding } from '../workspace/finding.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

const RULES: Readonly<Record<string, RegExp>> = {
  'package-lock.json': /"resolved":\s*"(?:git\+)?(?:https?|ssh):/,
  '.npmrc': /^\s*(?:@[^:]+:)?registry\s*=|^\s*\/\/\S+:_/,
};

/** Whoever installs uses the registry that is set on the machine; none stands in the repository. */
export function checkLockfileHosts(view: WorkspaceView): Finding[] {
  return Object.entries(RULES).flatMap(([file, pattern]) =>
    (view.read(file) ?? '').split('\n').flatMap((text, index) =>
      pattern.test(text)
        ? [
            {
              file,
              line: index + 1,
              rule: 'registry host',
              message: 'a registry or its credentials stand in the file',
              cure: 'keep omit-lockfile-registry-resolved=true in .npmrc and run npm install again',
            },
          ]
        : [],
    ),
  );
}
