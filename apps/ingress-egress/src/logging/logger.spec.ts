import { createLogger } from './logger.js';

function capture(level: string): {
  lines: () => Record<string, unknown>[];
  logger: ReturnType<typeof createLogger>;
} {
  const written: string[] = [];
  const logger = createLogger(level, {
    write: (line) => {
      written.push(line);
    },
  });
  return { logger, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLogger', () => {
  it('writes what Google Cloud Logging reads', () => {
    const { lines, logger } = capture('debug');
    logger.warn('connector.restarting', { connector: 'twilio' });
    expect(lines()).toEqual([
      {
        severity: 'WARNING',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        connector: 'twilio',
        message: 'connector.restarting',
      },
    ]);
    logger.debug('a');
    logger.info('b');
    logger.error('c');
    expect(lines().map(({ severity }) => severity)).toEqual(['WARNING', 'DEBUG', 'INFO', 'ERROR']);
  });

  it('masks phone numbers and leaves texts out above debug', () => {
    const { lines, logger } = capture('debug');
    const fields = { from: '+15551234567', nested: { list: ['to +15557654321'] }, text: 'hello' };
    logger.info('x', fields);
    logger.debug('x', fields);
    const [info, debug] = lines();
    expect(JSON.stringify(info)).not.toMatch(/5551234567|5557654321|hello/);
    expect(debug).toMatchObject(fields);
  });

  it('redacts secrets at every level, wherever they stand', () => {
    const { lines, logger } = capture('debug');
    logger.debug('x', { token: 't0p', config: { authToken: 't0p', apiSecret: 't0p' }, authorization: 't0p' });
    expect(JSON.stringify(lines())).not.toContain('t0p');
  });

  it('writes errors with their stack, and bounds what is deep', () => {
    const { lines, logger } = capture('info');
    const deep: Record<string, unknown> = {};
    deep['self'] = deep;
    logger.error('x', { error: new Error('no way to +15551234567'), deep });
    expect(lines()[0]).toMatchObject({ error: { name: 'Error', message: 'no way to +1555***4567' } });
  });

  it('never throws, whatever the fields are', () => {
    const { lines, logger } = capture('debug');
    const hostile = {
      get fails(): string {
        throw new Error('a getter');
      },
    };
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('a proxy');
        },
      },
    );
    const cycle: Record<string, unknown> = { big: 1n, symbol: Symbol('x'), call: () => 0, at: new Date(NaN) };
    cycle['self'] = cycle;
    for (const fields of [
      hostile,
      { proxy },
      cycle,
      {
        toJSON: () => {
          throw new Error('toJSON');
        },
      },
    ]) {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]('x', fields);
    }
    expect(lines().length).toBeGreaterThanOrEqual(16);
  });

  it('bounds a line, whatever is in its fields', () => {
    const { lines, logger } = capture('info');
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index]));
    logger.warn('x', { reason: 'r'.repeat(10_000_000), list: new Array(1_000_000).fill(1), many });
    expect(JSON.stringify(lines()[0]).length).toBeLessThan(20_000);
  });

  it('writes equal warnings once, and how often they repeated', () => {
    const { lines, logger } = capture('info');
    for (let count = 0; count < 1_000; count += 1) logger.warn('x', { reason: 'no' });
    expect(lines()).toHaveLength(1);
    logger.flush();
    expect(lines()[1]).toMatchObject({ message: 'x', reason: 'no', repeated: 999 });
  });

  it('is quiet below its level', () => {
    const { lines, logger } = capture('warn');
    logger.info('x');
    expect(lines()).toEqual([]);
  });
});
