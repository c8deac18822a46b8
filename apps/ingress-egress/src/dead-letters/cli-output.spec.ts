import { formatDetail, formatList, formatReport } from './cli-output.js';
import { type LetterSummary } from './letter-api.js';

const summary: LetterSummary = {
  id: 'internal.egress.v1.one:7',
  occurredAt: '2026-01-01T00:00:00.000Z',
  code: 'TIMEOUT',
  reason: 'no answer',
  attempts: 8,
  topic: 'internal.egress.v1.one',
  bytes: 200,
  truncated: false,
};

describe('output', () => {
  it('shows letters as a table with aligned columns', () => {
    const target = { connector: 'twilio', destination: 'CH1' };
    const letters = [summary, { ...summary, target, truncated: true, reason: 'two\nlines' }];
    expect(formatList({ letters, complete: false, unreadable: 1 })).toBe(
      [
        'TIME                      CODE     TRIES  BYTES    TO          ID                        REASON',
        '2026-01-01T00:00:00.000Z  TIMEOUT  8      200      -           internal.egress.v1.one:7  no answer',
        '2026-01-01T00:00:00.000Z  TIMEOUT  8      200 cut  twilio CH1  internal.egress.v1.one:7  two lines',
        '',
        '2 letters',
        'More wait than these: replay some, then list again.',
        '1 messages on the topic are no dead letters; see the log.',
      ].join('\n'),
    );
  });

  it('says that none wait', () => {
    expect(formatList({ letters: [], complete: true, unreadable: 0 })).toBe('No dead letters wait.');
  });

  it('lets nothing in a body steer the terminal', () => {
    const shown = formatDetail({
      ...summary,
      attributes: { 'ce-id': 'e\u001b[2J' },
      body: 'a\u001b]0;b\u0007\nc',
    });
    expect(shown).toContain('a\ufffd]0;b\ufffd\nc');
    expect(shown).toContain('@ce-id  e\ufffd[2J');
  });

  it('says what became of each letter', () => {
    const report = {
      replayed: [{ id: 'a', topic: 't', messageId: '1' }],
      alreadyReplayed: ['b'],
      refused: [{ id: 'c', code: 'EXPIRED', reason: 'late' }],
      complete: true,
    };
    expect(formatReport(report)).toBe(
      [
        'replayed  a  -> t 1',
        'done      b  was replayed before',
        'refused   c  EXPIRED: late',
        '1 replayed, 1 replayed before, 1 refused',
      ].join('\n'),
    );
  });
});
