import { type Logger } from '@bitbrat/connectors-core';
import { createMemoryStore } from '@bitbrat/state-store';
import { SendClaims } from './send-claims.js';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('SendClaims', () => {
  it('lets a process try its own event again', async () => {
    const claims = new SendClaims(createMemoryStore(), silent);
    expect([await claims.begin('e1'), await claims.begin('e1')]).toEqual(['none', 'none']);
  });

  it('tells the next process what this one has left', async () => {
    const store = createMemoryStore();
    const before = new SendClaims(store, silent);
    await before.begin('killed while sending');
    await before.begin('sent');
    await before.end('sent');
    await before.begin('given back');
    await before.release('given back');
    const after = new SendClaims(store, silent);
    expect(await after.begin('killed while sending')).toBe('unknown');
    expect(await after.begin('sent')).toBe('done');
    expect(await after.begin('given back')).toBe('none');
    expect(await after.begin('never seen')).toBe('none');
  });

  it('does without a store that does not answer', async () => {
    const refuse = (): Promise<never> => Promise.reject(new Error('away'));
    const claims = new SendClaims({ get: refuse, set: refuse }, silent);
    expect(await claims.begin('e1')).toBe('none');
    await claims.end('e1');
    await claims.release('e1');
  });
});
