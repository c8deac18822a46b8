import { NonceRegister } from './nonces.js';

describe('NonceRegister', () => {
  it('remembers a nonce, as text or number, for its time', () => {
    let now = 0;
    const nonces = new NonceRegister<string>(() => now, 100);
    nonces.remember('1', 'first');
    now = 60;
    nonces.remember('b', 'second');
    expect([nonces.find(1), nonces.find('b'), nonces.find('c')]).toEqual(['first', 'second', undefined]);
    now = 100;
    expect([nonces.find('1'), nonces.find('b')]).toEqual([undefined, 'second']);
    nonces.remember('1', 'third');
    now = 160;
    nonces.remember('d', 'fourth');
    expect([nonces.find('1'), nonces.find('b')]).toEqual(['third', undefined]);
  });
});
