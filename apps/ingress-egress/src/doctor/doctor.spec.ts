import { systemClock } from '@bitbrat/foundation';
import { Doctor } from './doctor.js';
import { type DoctorRow } from './report.js';

describe('Doctor', () => {
  it('warns of misspelt settings and of proxies, without a value', async () => {
    const doctor = new Doctor({ clock: systemClock, nodeVersion: '20.19.0', onArea: () => undefined });
    const rows: DoctorRow[] = [];
    const environment = { PORT: 'x', TWICH_ENABLED: 'hidden', HTTPS_PROXY: 'hidden' };
    for await (const row of doctor.examine(environment, new AbortController().signal)) rows.push(row);
    expect(rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          check: 'TWICH_ENABLED',
          status: 'warning',
          cure: 'did you mean TWITCH_ENABLED?',
        }),
        expect.objectContaining({ check: 'proxy', status: 'warning', found: 'set: HTTPS_PROXY' }),
      ]),
    );
    expect(JSON.stringify(rows)).not.toContain('hidden');
  });

  it('lists every fault of the settings at once, with what was expected and without a value', async () => {
    const doctor = new Doctor({ clock: systemClock, nodeVersion: '20.19.0', onArea: () => undefined });
    const environment = {
      PORT: 'many-hidden',
      STATE_STORE_DRIVER: 'firestore',
      TWILIO_ENABLED: 'true',
      TWILIO_AUTH_TOKEN: 'many hidden',
      DISCORD_ENABLED: 'yes-hidden',
    };
    const rows: DoctorRow[] = [];
    for await (const row of doctor.examine(environment, new AbortController().signal)) rows.push(row);
    const faults = rows.filter(({ status }) => status === 'fault');
    expect(faults.map(({ check }) => check).sort()).toEqual([
      'DISCORD_BOT_TOKEN',
      'DISCORD_ENABLED',
      'DISCORD_GUILD_ID',
      'GOOGLE_CLOUD_PROJECT',
      'PORT',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_API_KEY',
      'TWILIO_API_SECRET',
      'TWILIO_AUTH_TOKEN',
      'TWILIO_CHAT_SERVICE_SID',
      'TWILIO_IDENTITY',
    ]);
    expect(faults.every(({ cure }) => cure?.startsWith('expected') === true)).toBe(true);
    expect(JSON.stringify(rows)).not.toContain('hidden');
  });
});
