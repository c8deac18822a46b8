import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { judgeDebugAccess, judgeNode, OLDEST_NODE } from './machine-checks.js';

const ROOT = join(__dirname, '../../../..');

describe('judgeNode', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['20.20.2', 'ok'],
    ['24.0.0', 'ok'],
    ['20.18.9', 'fault'],
    ['18.20.4', 'fault'],
    ['22.0.0-nightly', 'ok'],
  ])('%s: %s', (version, status) => {
    expect(judgeNode(version).status).toBe(status);
  });

  it('wants what package.json wants', () => {
    const schema = z.object({ engines: z.object({ node: z.string() }) });
    const { engines } = schema.parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
    expect(engines.node).toBe(`>=${OLDEST_NODE}`);
  });
});

describe('judgeDebugAccess', () => {
  it.each([
    ['0.0.0.0', undefined, 'ok', 'closed'],
    ['::', undefined, 'ok', 'closed'],
    ['127.0.0.1', undefined, 'warning', 'open'],
    ['localhost', undefined, 'warning', 'open'],
    ['127.0.0.1', 'a-long-debug-token', 'ok', 'DEBUG_TOKEN only'],
  ])('%s with token %s: %s', (host, token, status, found) => {
    expect(judgeDebugAccess(host, token)).toMatchObject({
      status,
      found: expect.stringContaining(found) as string,
    });
  });
});
