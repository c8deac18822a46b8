import { createLogger } from './logger.js';

const lines = (isTerminal: boolean): string[] => {
  const found: string[] = [];
  const logger = createLogger('orders', {
    out: (line) => found.push(`out ${line}`),
    err: (line) => found.push(`err ${line}`),
    isTerminal,
  });
  logger.debug('bot.quiet');
  logger.info('bot.ready', { topic: 't', unset: undefined });
  logger.warn('bot.handler.failed', { attempt: 1 });
  logger.error('bot.message.set-aside');
  return found;
};

describe('the lines of the log', () => {
  it('are JSON for programs', () => {
    expect(lines(false)).toEqual([
      'out {"severity":"INFO","message":"bot.ready","bot":"orders","topic":"t"}',
      'err {"severity":"WARNING","message":"bot.handler.failed","bot":"orders","attempt":1}',
      'err {"severity":"ERROR","message":"bot.message.set-aside","bot":"orders"}',
    ]);
  });

  it('are short for people', () => {
    expect(lines(true)).toEqual([
      'out [orders] bot.ready topic=t',
      'err [orders] warning: bot.handler.failed attempt=1',
      'err [orders] error: bot.message.set-aside',
    ]);
  });
});
