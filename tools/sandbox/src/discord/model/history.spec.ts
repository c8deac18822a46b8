import { DiscordModel } from './discord-model.js';
import { type HistoryQuery, selectHistory } from './history.js';
import { type Message } from './records.js';
import { SnowflakeSource } from './snowflake.js';

describe('selectHistory', () => {
  const now = (): number => 1_700_000_000_000;
  const model = new DiscordModel({ id: '1', username: 'b', kind: 'bot' }, new SnowflakeSource(now), now, 100);
  const channel = model.addChannel({ name: 'c', kind: 'text', guild: model.addGuild('g') });
  const author = model.user('ada', 'person');
  const all: readonly Message[] = ['0', '1', '2', '3', '4', '5'].map((content) =>
    model.addMessage(channel, { author, content }),
  );
  const id = (index: number): string => all[index]?.id ?? '';

  it.each<[string, HistoryQuery, string]>([
    ['the newest', { limit: 3 }, '543'],
    ['all', { limit: 100 }, '543210'],
    ['what follows directly', { limit: 2, after: id(1) }, '32'],
    ['what follows the last', { limit: 2, after: id(5) }, ''],
    ['what follows long ago', { limit: 2, after: '0' }, '10'],
    ['what comes directly before', { limit: 2, before: id(4) }, '32'],
    ['what comes before the first', { limit: 2, before: id(0) }, ''],
    ['what is around', { limit: 3, around: id(2) }, '321'],
    ['what is around an unknown id', { limit: 2, around: '99999999999999999999' }, '5'],
  ])('gives %s, newest first', (_name, query, expected) =>
    expect(
      selectHistory(all, query)
        .map(({ content }) => content)
        .join(''),
    ).toBe(expected),
  );

  it('knows the newest messages only', () => {
    const small = new DiscordModel({ id: '1', username: 'b', kind: 'bot' }, new SnowflakeSource(now), now, 2);
    const busy = small.addChannel({ name: 'c', kind: 'text', guild: small.addGuild('g') });
    const ids = ['0', '1', '2', '3'].map((content) => small.addMessage(busy, { author, content }).id);
    expect(busy.messages.map(({ content }) => content)).toEqual(['2', '3']);
    expect(ids.map((known) => small.findMessage(known) !== undefined)).toEqual([false, false, true, true]);
  });
});
