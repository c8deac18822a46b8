import { type DiagnosisStatus } from '@bitbrat/connectors-core';
import { judgeParticipation } from './diagnosis.js';
import { judgeWebhookAddress, judgeWebhookAnswer } from './webhook-check.js';

const REAL = 'https://conversations.twilio.com';
const LOCAL = 'http://127.0.0.1:4010';

describe('judgeWebhookAddress', () => {
  it.each<[string | undefined, string, DiagnosisStatus]>([
    ['https://chat.example.org/webhooks/twilio', REAL, 'ok'],
    ['http://chat.example.org/webhooks/twilio', REAL, 'warning'],
    [undefined, REAL, 'warning'],
    ['http://localhost:3000/webhooks/twilio', REAL, 'fault'],
    ['https://192.168.1.4/webhooks/twilio', REAL, 'fault'],
    ['https://[::1]/webhooks/twilio', REAL, 'fault'],
    ['http://127.0.0.1:3000/webhooks/twilio', LOCAL, 'ok'],
  ])('%s with the API at %s: %s', (webhookUrl, restUrl, status) => {
    expect(judgeWebhookAddress({ webhookUrl, restUrl, sweepSeconds: 60 }).status).toBe(status);
  });

  it('does not show the query, which may hold a secret', () => {
    const webhookUrl = 'https://chat.example.org/webhooks/twilio?key=hidden';
    expect(judgeWebhookAddress({ webhookUrl, restUrl: REAL, sweepSeconds: 60 }).found).not.toContain(
      'hidden',
    );
  });
});

describe('judgeWebhookAnswer', () => {
  it.each<[number, string, DiagnosisStatus, string | undefined]>([
    [200, 'ignored', 'ok', undefined],
    [200, '<html>', 'fault', 'another program'],
    [301, '', 'fault', 'redirect'],
    [403, 'the signature does not match', 'fault', 'TWILIO_AUTH_TOKEN'],
    [404, '', 'fault', 'path'],
    [500, '', 'fault', 'another program'],
    [503, '', 'warning', 'start the gateway'],
  ])('%i %s: %s', (status, text, expected, cure) => {
    const finding = judgeWebhookAnswer('https://chat.example.org/webhooks/twilio', status, text);
    expect(finding.status).toBe(expected);
    expect(finding.cure ?? '').toContain(cure ?? '');
  });
});

describe('judgeParticipation', () => {
  it.each<[number, DiagnosisStatus]>([
    [0, 'ok'],
    [899, 'ok'],
    [900, 'warning'],
    [1_000, 'warning'],
  ])('%i conversations: %s', (conversations, status) => {
    expect(judgeParticipation(conversations).status).toBe(status);
  });
});
