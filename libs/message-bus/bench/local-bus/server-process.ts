import { startLocalBus } from '../../src/local-bus.js';

/** The local bus as a process of its own, as `npm run bus` is: prints its address. */
const server = await startLocalBus();
console.log(server.address);
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
