import { MessagePacer, SlidingWindow } from './rate-limits.js';

const limits = { windowMs: 30_000, ordinary: 3, privileged: 5, muteMs: 60_000 };

function fill(pacer: MessagePacer, count: number, privileged = false): readonly string[] {
  return Array.from({ length: count }, () => pacer.pace('bot', privileged));
}

describe('MessagePacer', () => {
  let now: number;
  let pacer: MessagePacer;

  beforeEach(() => {
    now = 1_000_000;
    pacer = new MessagePacer(limits, () => now);
  });

  it('lets the limit pass, announces what crosses it, and then hears nothing', () => {
    expect(fill(pacer, 5)).toEqual(['ok', 'ok', 'ok', 'limited', 'muted']);
    now += limits.muteMs - 1;
    expect(fill(pacer, 1)).toEqual(['muted']);
    now += 1;
    expect(fill(pacer, 1)).toEqual(['ok']);
  });

  it('slides: what is older than the window does not count', () => {
    fill(pacer, 2);
    now += limits.windowMs;
    expect(fill(pacer, 4)).toEqual(['ok', 'ok', 'ok', 'limited']);
  });

  it('allows more where the account moderates, and counts all channels together', () => {
    expect(fill(pacer, 4, true)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(fill(pacer, 1)).toEqual(['limited']);
  });

  it('keeps accounts apart and forgives', () => {
    fill(pacer, 4);
    expect(pacer.pace('other', false)).toBe('ok');
    pacer.forgive();
    now += limits.windowMs;
    expect(pacer.pace('bot', false)).toBe('ok');
  });
});

describe('SlidingWindow', () => {
  it('counts per key within the window', () => {
    let now = 0;
    const window = new SlidingWindow(10, () => now);
    expect([window.hit('a'), window.hit('a'), window.hit('b')]).toEqual([1, 2, 1]);
    now = 10;
    expect(window.hit('a')).toBe(1);
  });
});
