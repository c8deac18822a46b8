import { noteEnvironment } from './environment-notes.js';

describe('noteEnvironment', () => {
  it('names misspelt settings and proxies, and no value', () => {
    const notes = noteEnvironment({
      PATH: '/bin',
      TWICH_ENABLED: 'hidden',
      HTTPS_PROXY: 'http://hidden',
      no_proxy: 'hidden',
      HTTP_PROXY: '',
    });
    expect(notes).toEqual({
      unknown: [{ variable: 'TWICH_ENABLED', nearest: 'TWITCH_ENABLED' }],
      proxies: ['HTTPS_PROXY', 'no_proxy'],
    });
    expect(JSON.stringify(notes)).not.toContain('hidden');
  });

  it('finds nothing in an environment without them', () => {
    expect(noteEnvironment({ PATH: '/bin', TWITCH_ENABLED: 'true' })).toEqual({ unknown: [], proxies: [] });
  });
});
