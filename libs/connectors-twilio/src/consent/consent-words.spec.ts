import { readConsent } from './consent-words.js';

describe('readConsent', () => {
  it.each([
    ...['STOP', 'UNSUBSCRIBE', 'END', 'QUIT', 'STOPALL', 'REVOKE', 'OPTOUT', 'CANCEL'].map((word) => [
      word,
      'out',
    ]),
    ...['START', 'YES', 'UNSTOP'].map((word) => [word, 'in']),
    ...['HELP', 'INFO'].map((word) => [word, 'help']),
  ])('%s is %s, in any case and with space around it', (keyword, consent) => {
    for (const body of [keyword, keyword.toLowerCase(), `\n ${keyword} `]) {
      expect(readConsent('+15550100', body)).toEqual({ consent, keyword });
      expect(readConsent('whatsapp:+15550100', body)).toEqual({ consent, keyword });
    }
  });

  it.each([
    ['+15550100', 'stop it'],
    ['+15550100', 'STOP.'],
    ['+15550100', 'constructor'],
    ['+15550100', ''],
    ['+15550100', null],
    ['messenger:+15550100', 'STOP'],
    ['agent', 'STOP'],
    ['', 'STOP'],
    [null, 'STOP'],
  ])('%p writing %p says nothing about it', (author, body) => {
    expect(readConsent(author, body)).toBeUndefined();
  });
});
