// Loaded into the service's process by `--import`, so that it can be measured from within without knowing anything of it: at each SIGUSR2
// it collects garbage, counts, and writes one line to standard output, where the log goes.
import { Session } from 'node:inspector/promises';
import { writeHeapSnapshot } from 'node:v8';

const GROUP = 'probe';
const warnings = [];
let count = 0;

process.on('warning', ({ message, name }) => warnings.push(`${name}: ${message}`));
process.on('SIGUSR2', () => {
  measure().then(tell, (error) => tell({ error: String(error) }));
});

function tell(fields) {
  count += 1;
  process.stdout.write(`${JSON.stringify({ severity: 'DEBUG', message: 'probe', count, ...fields })}\n`);
}

async function measure() {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
    const { arrayBuffers, external, heapUsed } = process.memoryUsage();
    const resources = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    const listeners = await countListeners(session);
    const directory = process.env.PROBE_SNAPSHOTS;
    if (directory !== undefined) writeHeapSnapshot(`${directory}/${count}.heapsnapshot`);
    return { heapUsed, external, arrayBuffers, resources, listeners, warnings };
  } finally {
    await session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    session.disconnect();
  }
}

/**
 * Listeners by the class of whoever has them: of Node's emitters, of the SDKs' own kinds of emitters, and of event targets.
 *
 * All objects are looked for at once, because each search collects garbage several times before.
 */
async function countListeners(session) {
  const { result: prototype } = await session.post('Runtime.evaluate', {
    expression: 'Object.prototype',
    objectGroup: GROUP,
  });
  const { objects } = await session.post('Runtime.queryObjects', {
    prototypeObjectId: prototype.objectId,
    objectGroup: GROUP,
  });
  const { exceptionDetails, result } = await session.post('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: String(tally),
    returnByValue: true,
    objectGroup: GROUP,
  });
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description);
  return result.value;
}

/** Runs with all objects of the process as `this`. */
function tally() {
  const counts = {};
  for (const object of this) {
    let listeners = 0;
    if (Object.hasOwn(object, 'constructor')) {
      // A prototype: it has what its instances have, but is none.
    } else if ('eventNames' in object && 'listenerCount' in object) {
      for (const event of object.eventNames()) listeners += object.listenerCount(event);
    } else if (object instanceof EventTarget) {
      const events = Object.getOwnPropertySymbols(object).find(
        ({ description }) => description === 'kEvents',
      );
      for (const root of object[events]?.values() ?? []) listeners += root.size ?? 0;
    }
    const name = listeners === 0 ? '' : object.constructor?.name || 'anonymous';
    if (listeners > 0) counts[name] = (counts[name] ?? 0) + listeners;
  }
  return counts;
}
