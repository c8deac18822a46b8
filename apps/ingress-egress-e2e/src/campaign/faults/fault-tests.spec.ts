import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busFaults } from './bus-faults.js';
import { clockFaults } from './clock-faults.js';
import { deployFaults, serviceFaults } from './service-faults.js';
import { firestoreFaults, stateFaults } from './state-faults.js';
import { DiscordPlatform } from '../platforms/discord-platform.js';
import { TwilioPlatform } from '../platforms/twilio-platform.js';
import { TwitchPlatform } from '../platforms/twitch-platform.js';

const ROOT = join(import.meta.dirname, '../../../../..');

/** What a fault acts on; the table of faults is made without it. */
const unused = {} as never; // nothing is asked of it before a fault is caused

const FAULTS = [
  ...new TwilioPlatform(unused, '', 100).faults,
  ...new DiscordPlatform(unused, '').faults,
  ...new TwitchPlatform(unused).faults,
  ...serviceFaults(unused),
  ...deployFaults(unused),
  ...busFaults(unused),
  ...stateFaults('', unused),
  ...firestoreFaults(unused),
  ...clockFaults(unused),
].map(({ name }) => name);

interface Row {
  readonly fault: string;
  readonly file: string;
  /**
   * The test's title as it stands in the file, and the row of its table where the title alone does not say
   * it.
   */
  readonly words: readonly string[];
}

/** The table of the page's section "Each fault alone". */
function readRows(): readonly Row[] {
  const page = readFileSync(join(ROOT, 'docs/fault-campaign.md'), 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith('Each fault alone')) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => {
    const [fault = '', file = '', ...words] = [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    return { fault, file, words };
  });
}

describe('each fault of the campaign', () => {
  const rows = readRows();

  it('is among those that are looked at here', () => {
    const files = readdirSync(join(import.meta.dirname)).filter((file) => file.endsWith('-faults.ts'));
    expect(files.sort()).toEqual([
      'bus-faults.ts',
      'clock-faults.ts',
      'service-faults.ts',
      'state-faults.ts',
    ]);
  });

  it.each(FAULTS)('%s has a test of its own', (name) => {
    expect(rows.map(({ fault }) => fault)).toContain(name);
  });

  it.each(rows)('$fault is caused in $file', ({ fault, file, words }) => {
    expect(FAULTS).toContain(fault);
    expect(existsSync(join(ROOT, file)) ? file : 'no such file').toBe(file);
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect(words).not.toEqual([]);
    expect(
      words.filter((text) => !["'", '"'].some((quote) => source.includes(quote + text + quote))),
    ).toEqual([]);
  });
});
