import { ConnectorError } from '../connector-error.js';
import { Opening } from './opening.js';

const never = new Promise<never>(() => undefined);
const fault = (message: string): ConnectorError => new ConnectorError('UPSTREAM_UNAVAILABLE', message);

describe('Opening', () => {
  it('settles as the work does', async () => {
    const opening = new Opening(new AbortController().signal);
    await expect(opening.race(Promise.resolve(7))).resolves.toBe(7);
    await expect(opening.race(Promise.reject(fault('broken')))).rejects.toThrow('broken');
  });

  it('ends with its first fault, whether somebody waits or not', async () => {
    const opening = new Opening(new AbortController().signal);
    const waiting = opening.race(never);
    opening.fail(fault('first'));
    opening.fail(fault('second'));
    await expect(waiting).rejects.toThrow('first');
    await expect(opening.race(never)).rejects.toThrow('first');
  });

  it('ends when its caller gives up, before it or while it lasts', async () => {
    const caller = new AbortController();
    const waiting = new Opening(caller.signal).race(never);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await expect(new Opening(caller.signal).race(never)).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });

  it('lets go of the signal at its end', async () => {
    const caller = new AbortController();
    const opening = new Opening(caller.signal);
    const waiting = opening.race(never);
    opening.end();
    caller.abort();
    opening.fail(fault('not by the caller'));
    await expect(waiting).rejects.toThrow('not by the caller');
  });
});
