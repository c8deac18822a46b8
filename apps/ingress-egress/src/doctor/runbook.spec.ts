import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONNECTOR_ERRORS } from '@bitbrat/connectors-core';
import { egressStatusSchema } from '@bitbrat/envelope';

const ROOT = join(__dirname, '../../../..');
const STATES = ['stopped', 'starting', 'connected', 'reconnecting', 'failed'];

/** Events whose names are made of a word of a closed set. */
const COMPOSED: Readonly<Record<string, readonly string[]>> = {
  'connector.${state.status}': STATES.map((state) => `connector.${state}`),
  'egress.${status}': egressStatusSchema.options.map((status) => `egress.${status}`),
};

const CALL = /logger\??\s*\.(?:debug|info|warn|error)\(\s*(?:'([^']+)'|`([^`]+)`)?/g;

const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');

/** Sources of the app and of the libs that run in it. */
function sources(): string[] {
  const folders = ['apps/ingress-egress/src', ...libs().map((lib) => `libs/${lib}/src`)];
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts') && !path.endsWith('.e2e.ts'))
      .map((path) => join(folder, path)),
  );
}

function libs(): string[] {
  return readdirSync(join(ROOT, 'libs')).filter((lib) => !['bot', 'connectors-testing'].includes(lib));
}

interface Found {
  readonly events: ReadonlySet<string>;
  /** Calls whose event is not written where the logger is called. */
  readonly unnamed: readonly string[];
}

function findEvents(): Found {
  const events = new Set<string>();
  const unnamed: string[] = [];
  for (const path of sources()) {
    for (const [call, plain, template] of readFileSync(join(ROOT, path), 'utf8').matchAll(CALL)) {
      const names = template === undefined ? [plain ?? ''] : (COMPOSED[template] ?? ['']);
      if (names.includes('')) unnamed.push(`${path}: ${call}`);
      else for (const name of names) events.add(name);
    }
  }
  return { events, unnamed };
}

/** First cells of the tables below a heading, without their quotes. */
function firstCells(heading: string): string[] {
  const [, section = ''] = runbook.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return Array.from(own.matchAll(/^\| `([^`]+)`/gm), ([, cell = '']) => cell);
}

describe('the runbook', () => {
  it('explains every log event, and no event that there is not', () => {
    const { events, unnamed } = findEvents();
    expect(unnamed).toEqual([]);
    expect(events.size).toBeGreaterThan(50);
    expect(firstCells('Log events').sort()).toEqual([...events].sort());
  });

  it('explains every state of a connector, and every outcome', () => {
    expect(firstCells('States of a connector')).toEqual(STATES);
    expect(firstCells('Outcomes')).toEqual(egressStatusSchema.options);
  });

  it.each(Object.entries(CONNECTOR_ERRORS))(
    'tells of %s what the table of errors says',
    (code, consequences) => {
      const { ambiguous, retryable } = consequences;
      const yes = (flag: boolean): string => (flag ? 'yes' : 'no');
      expect(runbook).toMatch(
        new RegExp(`^\\| \`${code}\` +\\| ${yes(retryable)} +\\| ${yes(ambiguous)} +\\| \\S`, 'm'),
      );
    },
  );
});
