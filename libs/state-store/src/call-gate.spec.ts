import { ManualClock } from '@bitbrat/foundation/testing';
import { CallGate } from './call-gate.js';

describe('CallGate', () => {
  it('rejects what has not ended when closing runs out of time', async () => {
    const clock = new ManualClock();
    const gate = new CallGate(clock);
    const stuck = gate.run(() => new Promise<never>(() => undefined));
    const rejected = expect(stuck).rejects.toMatchObject({ code: 'CLOSED' });
    let closed = false;
    const closing = gate.close(1000).then(() => (closed = true));
    await clock.advance(999);
    expect([closed, gate.signal.aborted]).toEqual([false, false]);
    await clock.advance(1);
    await closing;
    await rejected;
    expect(gate.signal.aborted).toBe(true);
  });

  it('sets no timer that outlives the last call', async () => {
    const clock = new ManualClock();
    const gate = new CallGate(clock);
    let finish: () => void = () => undefined;
    const call = gate.run(() => new Promise<void>((resolve) => (finish = resolve)));
    const closing = gate.close(1000);
    finish();
    await Promise.all([call, closing]);
    expect(clock.pendingTimers).toBe(0);
    await expect(gate.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
