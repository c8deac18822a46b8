import { type DiagnosisRow } from '@bitbrat/connectors-core';
import { type DiscordSandboxOptions } from '@bitbrat/sandbox';
import { type DiscordConfig } from '../config.js';
import { diagnoseDiscord } from './diagnosis.js';
import { Gateway } from '../testing/discord-world.js';

const containing = (text: string): unknown => expect.stringContaining(text);

let gateway: Gateway;

afterEach(async () => {
  await gateway.dispose();
});

async function diagnose(
  changed: Partial<DiscordConfig> = {},
  sandbox: Partial<DiscordSandboxOptions> = {},
  cause: () => void = () => undefined,
): Promise<DiagnosisRow[]> {
  gateway = await Gateway.create({ sandbox });
  cause();
  const rows: DiagnosisRow[] = [];
  const channelIds = gateway.sandbox.discord.channels().map(({ id }) => id);
  const config = { ...gateway.config, channelIds, ...changed };
  for await (const row of diagnoseDiscord(config, gateway.host, new AbortController().signal)) rows.push(row);
  return rows;
}

const rowOf = (rows: readonly DiagnosisRow[], check: string): DiagnosisRow | undefined =>
  rows.find((row) => row.check === check);

describe('diagnosing Discord', () => {
  it('finds all well, writes nothing, uses up no session start and leaves no connection behind', async () => {
    const rows = await diagnose();
    expect(rows.map(({ check, status }) => [check, status])).toEqual([
      ['token', 'ok'],
      ['intents', 'ok'],
      ['session starts', 'ok'],
      ['gateway', 'ok'],
      ['guild 1000000000000000002', 'ok'],
      ['channel 1000000000000000003', 'ok'],
      ['channel 1000000000000000004', 'ok'],
    ]);
    expect(rowOf(rows, 'session starts')?.found).toContain('1000 of 1000');
    expect(gateway.count('IDENTIFY')).toBe(0);
    expect(gateway.sent()).toEqual([]);
    expect(JSON.stringify(rows)).not.toContain(gateway.config.botToken);
    expect(gateway.host.findSecrets([gateway.config.botToken])).toEqual([]);
  });

  it('looks at all channels of a guild where none is named', async () => {
    const rows = await diagnose({ channelIds: [] });
    expect(rowOf(rows, 'guild 1000000000000000002')).toMatchObject({
      status: 'ok',
      found: containing('sees 2 of 2 channels'),
    });
  });

  it.each<[string, Partial<DiscordConfig>, Partial<DiscordSandboxOptions>, () => void, string, string]>([
    ['a wrong token', { botToken: 'wrong' }, {}, nothing, 'token', 'DISCORD_BOT_TOKEN'],
    ['a missing intent', {}, { privilegedIntents: [] }, nothing, 'intents', 'MESSAGE CONTENT INTENT'],
    [
      'an unknown guild',
      { guildIds: ['1000000000000009999'] },
      {},
      nothing,
      'guild 1000000000000009999',
      'DISCORD_GUILD_ID',
    ],
    [
      'an unknown channel',
      { channelIds: ['1000000000000009999'] },
      {},
      nothing,
      'channel 1000000000000009999',
      'DISCORD_CHANNELS',
    ],
    [
      'a hidden channel',
      {},
      {},
      () => gateway.sandbox.discord.updateChannel('1000000000000000004', { access: 'none' }),
      'channel 1000000000000000004',
      'View Channel',
    ],
    [
      'used up session starts',
      {},
      {},
      () => gateway.sandbox.discord.injectFault({ kind: 'session-starts', remaining: 3 }),
      'session starts',
      'restarts so often',
    ],
    [
      'a gateway that refuses connections',
      {},
      {},
      () => gateway.sandbox.discord.injectFault({ kind: 'refuse-connections', how: 'http' }),
      'gateway',
      'proxy',
    ],
    [
      'an API that is down',
      {},
      {},
      () => gateway.sandbox.discord.injectFault({ kind: 'refuse-connections', target: 'rest' }),
      'token',
      'wait',
    ],
  ])('names the cure of %s', async (_, changed, sandbox, cause, check, cure) => {
    const row = rowOf(await diagnose(changed, sandbox, cause), check);
    expect(row).toMatchObject({ status: 'fault', cure: containing(cure) });
  });
});

function nothing(): void {
  // The settings are fault enough.
}
