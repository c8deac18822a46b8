import { systemClock } from '@bitbrat/connectors-core';
import { Doctor } from './doctor.js';
import { type DoctorRow } from './report.js';

describe('Doctor', () => {
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
