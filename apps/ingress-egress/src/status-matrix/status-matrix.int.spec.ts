import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { ALL_ANSWERS, cellsOf, nameOf } from './matrix.e2e.js';

const reportSchema = z.object({
  unclaimed: z.number(),
  results: z.array(
    z.object({ platform: z.string(), cells: z.number(), idle: z.number(), failures: z.array(z.string()) }),
  ),
});

/** Runs the matrix in a process of its own: what the SDKs leave to the process is part of the test. */
async function runMatrix(
  ...options: string[]
): Promise<{ code: unknown; report: z.infer<typeof reportSchema> }> {
  const script = join(__dirname, 'main.e2e.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--conditions=@bitbrat/source', script, ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as unknown[]; // the event's arguments
  return { code, report: reportSchema.parse(JSON.parse(output)) };
}

describe('each request and handshake of each platform, answered wrongly once', () => {
  it('leaves the connector connected again, with nothing lost: a sample', async () => {
    const { code, report } = await runMatrix('--sample', '2', '--lanes', '3');
    expect(report).toMatchObject({
      unclaimed: 0,
      results: ['twilio', 'twitch', 'discord'].map((platform) => ({ platform, failures: [] })),
    });
    for (const { cells, idle } of report.results) expect(cells - idle).toBeGreaterThan(20);
    expect(code).toBe(0);
  }, 900_000);

  it('is noticed where a connector stays failed', async () => {
    const cell = ['--platform', 'discord', '--only', 'start: GET /api/v10/gateway/bot: 401'];
    const { code, report } = await runMatrix(...cell, '--lanes', '1', '--final', '--bound', '8000');
    expect(report.results).toMatchObject([{ cells: 1, failures: [expect.stringContaining('AUTH_FAILED')] }]);
    expect(code).toBe(1);
  }, 120_000);
});

describe('cellsOf', () => {
  const requests = [
    { phase: 'start', request: 'GET /a' },
    { phase: 'send', request: 'POST /b' },
  ] as const;

  it('has every status from 400 to 599, a cut and garbage for each request', () => {
    expect(ALL_ANSWERS).toHaveLength(202);
    expect(new Set(cellsOf(requests, undefined, 1).map(nameOf)).size).toBe(404);
  });

  it('gives each request of a sample other answers, the same ones for the same seed', () => {
    const names = cellsOf(requests, 3, 7).map(nameOf);
    expect(new Set(names.map((name) => name.split(': ').at(-1))).size).toBe(6);
    expect(cellsOf(requests, 3, 7).map(nameOf)).toEqual(names);
    expect(cellsOf(requests, 3, 8).map(nameOf)).not.toEqual(names);
  });
});
