import { type SoakReport } from './soak-run.js';

/** What a soak has come to, for people: counts and figures as tables in Markdown, then what is wrong. */
export function toSoakText({ clients, counts, findings, growth, ok, rssMb, seconds }: SoakReport): string {
  const totals = {
    s: seconds,
    'messages/s': Math.round(counts.written / seconds),
    ...counts,
    clients,
    'MiB at most': rssMb.most,
    verdict: ok ? 'ok' : 'FAILED',
  };
  return [
    toTable([Object.keys(totals), Object.values(totals).map(String)]),
    '',
    toTable([
      ['figure', 'after warm-up', 'at the end', 'at most', 'growth', 'limit', 'verdict'],
      ...growth.map((figure) => [
        figure.name,
        ...[figure.first, figure.last, figure.most, figure.growth].map((value) => value.toFixed(1)),
        String(figure.limit),
        figure.ok ? 'ok' : 'GROWS',
      ]),
    ]),
    ...findings.map((finding) => `- ${finding}`),
  ].join('\n');
}

function toTable([titles = [], ...rows]: readonly (readonly string[])[]): string {
  const lines = [titles, titles.map(() => '---'), ...rows];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
