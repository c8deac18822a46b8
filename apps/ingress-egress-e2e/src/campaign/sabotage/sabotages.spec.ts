import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sabotage, SABOTAGES } from './sabotages.js';

const ROOT = join(__dirname, '../../../../..');

describe.each(Object.entries(SABOTAGES))('%s', (_, change) => {
  it('still applies to the source', () => {
    const source = readFileSync(join(ROOT, change.file), 'utf8');
    expect(sabotage(source, change)).toContain(change.replace);
  });

  it('fails where the source has changed', () => {
    expect(() => sabotage('something else', change)).toThrow(/found it 0 times/);
    expect(() => sabotage(change.find + change.find, change)).toThrow(/found it 2 times/);
  });
});
