import { createView } from '../workspace/workspace-view.js';
import { affectedRows, checkAffectedSets } from './affected-sets.js';

const view = createView(
  Object.fromEntries(
    [
      'apps/ingress-egress',
      'apps/ingress-egress-e2e',
      'libs/connectors-acme',
      'libs/connectors-core',
      'libs/connectors-testing',
      'libs/envelope',
      'tools/sandbox',
      'tools/workspace-plugin',
    ].map((root) => [`${root}/package.json`, JSON.stringify({ name: root.split('/').at(-1) })]),
  ),
);
const table = new Map(affectedRows(view).map(({ file, projects }) => [file, projects]));

describe('the table of affected sets', () => {
  it('has a row for each connector', () => {
    expect(table.get('libs/connectors-acme/src/index.ts')).toEqual([
      'connectors-acme',
      'ingress-egress',
      'ingress-egress-e2e',
    ]);
  });

  it('lets documentation affect nothing', () => {
    expect(table.get('README.md')).toEqual([]);
  });
});

describe('checkAffectedSets', () => {
  it('is content where Nx and the table agree, in whatever order', async () => {
    const answer = (file: string): Promise<string[]> =>
      Promise.resolve([...(table.get(file) ?? [])].reverse());
    await expect(checkAffectedSets(view, answer)).resolves.toEqual([]);
  });

  it.each([
    ['too much', 'README.md', ['envelope'], 'affects envelope, which it should not'],
    [
      'too little',
      'libs/connectors-acme/src/index.ts',
      ['connectors-acme', 'ingress-egress'],
      'does not affect ingress-egress-e2e',
    ],
    [
      'too much and too little',
      'tools/workspace-plugin/package.json',
      ['sandbox'],
      'affects sandbox, which it should not and does not affect workspace-plugin',
    ],
  ])('finds %s', async (_what, touched, projects, expected) => {
    const answer = (file: string): Promise<readonly string[]> =>
      Promise.resolve(file === touched ? projects : (table.get(file) ?? []));
    const findings = await checkAffectedSets(view, answer);
    expect(findings.map(({ file, message }) => `${file} ${message}`)).toEqual([
      `${touched} a change of this file ${expected}`,
    ]);
  });
});
