import { ChatEar } from './chat-ear.js';
import { type ChatLine } from '../platform/chat-line.js';

function line(command: string, params: string[], tags: Record<string, string> = {}): ChatLine {
  return { command, params, tags, source: '', raw: '' };
}

describe('ChatEar', () => {
  it.each<[string, ChatLine[], string, string]>([
    ['a channel that lets the bot in', [line('ROOMSTATE', ['#room'])], 'ok', ''],
    [
      'one that has banned it',
      [line('NOTICE', ['#room', 'You are banned'], { 'msg-id': 'msg_banned' })],
      'fault',
      'unban',
    ],
    ['one that does not answer', [line('ROOMSTATE', ['#other'])], 'fault', 'TWITCH_CHANNELS'],
    [
      'a note about the mode of the room',
      [line('NOTICE', ['#room', 'emote-only'], { 'msg-id': 'emote_only_on' }), line('ROOMSTATE', ['#room'])],
      'ok',
      '',
    ],
  ])('tells %s', (_, lines, status, cure) => {
    const ear = new ChatEar();
    for (const each of lines) ear.hear(each);
    const finding = ear.judge('room');
    expect(finding.status).toBe(status);
    expect(finding.cure ?? '').toContain(cure);
  });

  it('knows when the bot is logged in', () => {
    const ear = new ChatEar();
    ear.hear(line('NOTICE', ['*', 'Login authentication failed']));
    expect(ear.isLoggedIn).toBe(false);
    ear.hear(line('GLOBALUSERSTATE', []));
    expect(ear.isLoggedIn).toBe(true);
  });
});
