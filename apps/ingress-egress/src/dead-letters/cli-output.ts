import { type LetterDetail, type LetterList, type LetterSummary, type ReplayReport } from './letter-api.js';

/** What stands in a terminal comes from bots and platforms: nothing in it may steer the terminal. */
const CONTROL = /(?![\t\n])\p{Cc}/gu;

const plain = (text: string): string => text.replaceAll(CONTROL, '\ufffd');
const oneLine = (text: string): string => plain(text).replaceAll(/[\t\n]+/g, ' ');

/** A table, and what is to be said about it. */
export function formatList({ complete, letters, unreadable }: LetterList): string {
  const notes = [
    ...(complete ? [] : ['More wait than these: replay some, then list again.']),
    ...(unreadable === 0 ? [] : [`${unreadable} messages on the topic are no dead letters; see the log.`]),
  ];
  if (letters.length === 0) return ['No dead letters wait.', ...notes].join('\n');
  const head = ['TIME', 'CODE', 'TRIES', 'BYTES', 'TO', 'ID', 'REASON'];
  const rows = letters.map((letter) => [
    letter.occurredAt,
    letter.code,
    String(letter.attempts),
    `${letter.bytes}${letter.truncated ? ' cut' : ''}`,
    target(letter),
    letter.id,
    letter.reason,
  ]);
  const count = `${letters.length} letter${letters.length === 1 ? '' : 's'}`;
  return [table([head, ...rows]), '', count, ...notes].join('\n');
}

/** One line a fact; the body at the end. */
export function formatDetail(detail: LetterDetail): string {
  const { attributes, body, bodyBase64, message } = detail;
  const facts: [string, string | undefined][] = [
    ['id', detail.id],
    ['time', detail.occurredAt],
    ['code', detail.code],
    ['reason', detail.reason],
    ['tries', String(detail.attempts)],
    ['topic', detail.topic],
    ['to', target(detail)],
    ['event', detail.event],
    ['replay of', detail.replayOf],
    ['bytes', `${detail.bytes}${detail.truncated ? ', only the beginning was kept' : ''}`],
    ['text', message === undefined ? undefined : `${message.characters} characters; --full shows them`],
    ['attachments', message === undefined ? undefined : String(message.attachments)],
    ['in reply to', message?.inReplyTo],
    ['correlation', message?.correlationId],
    ['expires', message?.expiresAt],
    ...Object.entries(attributes).map(([name, value]): [string, string] => [`@${name}`, value]),
  ];
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const shown = body === undefined ? bodyBase64 : plain(body);
  return [table(rows), ...(shown === undefined ? [] : ['', shown])].join('\n');
}

/** What became of each letter, and a summary. */
export function formatReport({ alreadyReplayed, complete, refused, replayed }: ReplayReport): string {
  const lines = [
    ...replayed.map(({ id, messageId, topic }) => `replayed  ${id}  -> ${topic} ${messageId}`),
    ...alreadyReplayed.map((id) => `done      ${id}  was replayed before`),
    ...refused.map(({ code, id, reason }) => `refused   ${id}  ${code}: ${reason}`),
  ].map(oneLine);
  const summary = `${replayed.length} replayed, ${alreadyReplayed.length} replayed before, ${refused.length} refused`;
  return [
    ...lines,
    summary,
    ...(complete ? [] : ['More letters wait than were gathered: run it again.']),
  ].join('\n');
}

const target = ({ target: to }: LetterSummary): string =>
  to === undefined ? '-' : `${to.connector} ${to.destination}`;

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = cells.reduce<number[]>(
    (widest, row) => row.map((cell, index) => Math.max(cell.length, widest[index] ?? 0)),
    [],
  );
  return cells
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
