/*
 * Imports nothing beforehand: a stop that is asked for while the service's modules are being loaded is a clean stop, too.
 */
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

const { runService } = await import('./run-service.js');
await runService(process.env);

export {};
