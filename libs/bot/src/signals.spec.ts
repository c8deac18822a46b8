import { EventEmitter } from 'node:events';
import { type RunningBot } from './bot.js';
import { stopOnSignals } from './signals.js';

class FakeProcess extends EventEmitter {
  readonly codes: number[] = [];

  exit(code: number): void {
    this.codes.push(code);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('SIGTERM and SIGINT', () => {
  it.each(['SIGTERM', 'SIGINT'])('%s stops the bot and ends the process', async (signal) => {
    const source = new FakeProcess();
    let stopped = false;
    const bot: RunningBot = {
      stop: () => {
        stopped = true;
        return Promise.resolve();
      },
    };
    stopOnSignals(source, () => bot);
    source.emit(signal);
    await turn();
    expect([stopped, source.codes]).toEqual([true, [0]]);
  });

  it('end at once where the bot is not subscribed yet, and the second time', async () => {
    const source = new FakeProcess();
    const bots: RunningBot[] = [];
    stopOnSignals(source, () => bots[0]);
    source.emit('SIGTERM');
    expect(source.codes).toEqual([0]);
    bots.push({ stop: () => new Promise(() => undefined) });
    source.emit('SIGTERM');
    source.emit('SIGTERM');
    await turn();
    expect(source.codes).toEqual([0, 1]);
  });

  it('end with a code where stopping fails, and do nothing once they are no business of ours', async () => {
    const source = new FakeProcess();
    const signals = stopOnSignals(source, () => ({ stop: () => Promise.reject(new Error('x')) }));
    source.emit('SIGTERM');
    await turn();
    expect(source.codes).toEqual([1]);
    signals.dispose();
    source.emit('SIGTERM');
    expect(source.codes).toEqual([1]);
  });
});
