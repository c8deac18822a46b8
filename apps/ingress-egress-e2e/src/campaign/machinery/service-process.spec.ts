import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEAP_MIB } from './service-process.js';

it.each(['dev', 'prod'])('the heap is the one that the service has in %s', (name) => {
  const file = join(import.meta.dirname, `../../../../../deploy/cloud-run.service.${name}.yaml`);
  expect(readFileSync(file, 'utf8')).toContain(`'--max-old-space-size=${HEAP_MIB}'`);
});
