import { MessagePacer, SlidingWindow } from './rate-limits.js';

const limits = { windowMs: 30_000, ordinary: 3, privileged: 5, muteMs: 60_000, spacingMs: 1_000 };

/** Each to a channel of its own. */
function fill(pacer: MessagePacer, count: number, privileged = false): readonly string[] {
  return Array.from({ length: count }, (_, i) => pacer.pace('bot', `channel${i}`, privileged));
}

describe('MessagePacer', () => {
  let now: number;
  let pacer: MessagePacer;

  beforeEach(() => {
    now = 1_000_000;
    pacer = new MessagePacer(limits, () => now);
  });

  it('lets the limit pass, and then hears nothing without a word', () => {
    expect(fill(pacer, 5)).toEqual(['ok', 'ok', 'ok', 'muted', 'muted']);
    expect(pacer.isMuted('bot')).toBe(true);
    now += limits.muteMs - 1;
    expect(fill(pacer, 1)).toEqual(['muted']);
    now += limits.windowMs;
    expect(fill(pacer, 1)).toEqual(['ok']);
  });

  it('slides: what is older than the window does not count', () => {
    fill(pacer, 2);
    now += limits.windowMs;
    expect(fill(pacer, 4)).toEqual(['ok', 'ok', 'ok', 'muted']);
  });

  it('allows more to trusted accounts, ignores none of them, and counts all channels together', () => {
    expect(fill(pacer, 6, true)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'limited']);
    expect(fill(pacer, 1)).toEqual(['muted']);
    now += limits.windowMs;
    expect(fill(pacer, 1, true)).toEqual(['ok']);
  });

  it('takes one message a second to a channel from an ordinary user', () => {
    const pace = (channel: string, privileged = false): string => pacer.pace('bot', channel, privileged);
    expect([pace('a'), pace('a'), pace('b')]).toEqual(['ok', 'limited', 'ok']);
    now += limits.windowMs;
    expect([pace('a'), pace('a', true)]).toEqual(['ok', 'ok']);
    now += 999;
    expect(pace('a')).toBe('limited');
    now += 1;
    expect(pacer.pace('other', 'a', false)).toBe('ok');
  });

  it('keeps accounts apart and forgives', () => {
    fill(pacer, 4);
    expect(pacer.pace('other', 'a', false)).toBe('ok');
    pacer.forgive();
    now += limits.windowMs;
    expect(pacer.pace('bot', 'a', false)).toBe('ok');
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
