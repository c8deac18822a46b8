// @ts-check
// Starts what the image contains as the image would start it, and sees it work: see USAGE.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { confine } from './confine.mjs';
import { Failure, freePort, start, terminate, until } from './running.mjs';

/** @typedef {import('./running.mjs').Running} Running */

const USAGE = `Starts what the image contains as the image would start it: with the Dockerfile's entry point, no node_modules in reach, and,
where this machine lets us, as a user that is not root, without capabilities, on a read-only file system. Asks /livez and
/readyz, sends an SMS through the sandbox and waits for the echo, ends it with SIGTERM, and prints figures.

  node tools/image/check.mjs [FOLDER]

  FOLDER   what tools/image/assemble.sh has made; a temporary one unless given. The service must be built:
           npx nx build ingress-egress`;

const ROOT = resolve(import.meta.dirname, '../..');

/** @param {string} url @param {number} [status] @returns {Promise<Response | undefined>} */
async function answer(url, status = 200) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    if (response.status === status) return response;
    await response.arrayBuffer();
  } catch {
    // Not there yet.
  }
  return undefined;
}

/** The image's entry point, with the folder in the place of /. @param {string} folder @returns {string[]} */
function entryPoint(folder) {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const [, list] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  if (list === undefined) throw new Failure('the Dockerfile has no ENTRYPOINT in exec form');
  const [, ...parameters] = /** @type {string[]} */ (JSON.parse(list));
  return [process.execPath, ...parameters.map((part) => part.replace(/^\/app/, join(folder, 'app')))];
}

/** @param {string} folder @returns {{ files: number, bytes: number }} */
function measure(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .filter((stat) => stat.isFile())
    .reduce((sum, { size }) => ({ files: sum.files + 1, bytes: sum.bytes + size }), { files: 0, bytes: 0 });
}

/** @param {string} folder */
function assertNoModulesInReach(folder) {
  for (let at = join(folder, 'app'); ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules')))
      throw new Failure(`${at}/node_modules is in reach: name a folder elsewhere`);
    if (at === dirname(at)) return;
  }
}

/** Resident memory in MiB; undefined where there is no /proc. @param {number | undefined} pid */
function residentMiB(pid) {
  const file = `/proc/${pid}/status`;
  if (pid === undefined || !existsSync(file)) return undefined;
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8')) ?? [];
  return kib === undefined ? undefined : Math.round(Number(kib) / 1_024);
}

/** @param {Running} sandbox @returns {Record<string, string>} what the sandbox says a service needs */
const sandboxSettings = (sandbox) =>
  Object.fromEntries(
    [...sandbox.output.matchAll(/^ {2}([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

/** @param {string} url of the sandbox @param {Running} service */
async function roundTrip(url, service) {
  const startedAt = performance.now();
  const body = 'hello from the image';
  const response = await fetch(`${url}/twilio/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ from: '+15550100', body }),
  });
  if (response.status !== 201)
    throw new Failure(`the sandbox answered ${response.status}: ${await response.text()}`);
  const { conversationSid } = /** @type {{ conversationSid: string }} */ (await response.json());
  await until('echo of the SMS', service, async () => {
    const list = await answer(`${url}/twilio/conversations/${conversationSid}/messages`);
    const text = (await list?.text()) ?? '';
    return text.split(JSON.stringify(body)).length > 2 ? true : undefined;
  });
  return performance.now() - startedAt;
}

/** A folder that stays writable where the root file system is not: a volume of its own, as a deployment would mount one. */
function stateFolder() {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bitbrat-state-'));
  chmodSync(folder, 0o777);
  return folder;
}

/** @param {string} folder @param {string} state @param {Running[]} started */
async function check(folder, state, started) {
  assertNoModulesInReach(folder);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const webhook = `${url}/webhooks/twilio`;
  const tsx = [
    join(ROOT, 'node_modules/.bin/tsx'),
    '--conditions=@bitbrat/source',
    'tools/sandbox/src/main.ts',
  ];
  const sandbox = start('the sandbox', tsx, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], SANDBOX_PORT: '0', SANDBOX_TWILIO_WEBHOOK_URL: webhook },
  });
  started.push(sandbox);
  const sandboxUrl = await until(
    'its address',
    sandbox,
    () => /Write an SMS[\s\S]*?(http:\/\/[\d.:]+)/.exec(sandbox.output)?.[1],
  );

  const { command, fileSystem, user } = confine(entryPoint(folder), folder);
  const startedAt = performance.now();
  const service = start('the service', command, {
    cwd: join(folder, 'app'),
    env: {
      NODE_ENV: 'production',
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      HOST: '127.0.0.1',
      PORT: String(port),
      MESSAGE_BUS_DRIVER: 'memory',
      ECHO_BOT_ENABLED: 'true',
      EGRESS_INSTANCE_ID: 'image-check',
      ...sandboxSettings(sandbox),
      TWILIO_WEBHOOK_URL: webhook,
      STATE_FILE: join(state, 'state.json'),
      DISCORD_ENABLED: 'false',
    },
  });
  started.push(service);
  await until('/livez', service, () => answer(`${url}/livez`));
  const liveMs = performance.now() - startedAt;
  await until('/readyz', service, () => answer(`${url}/readyz`));
  const readyMs = performance.now() - startedAt;
  const echoMs = await roundTrip(sandboxUrl, service);
  const memory = residentMiB(service.child.pid);
  const stopMs = await terminate(service);
  if (service.exit !== '0')
    throw new Failure(`the service ended with ${service.exit} after SIGTERM:\n${service.output}`);

  const { bytes, files } = measure(folder);
  const ms = (/** @type {number} */ value) => `${Math.round(value)} ms`;
  return [
    ['contents', `${(bytes / 1_048_576).toFixed(1)} MiB in ${files} files, above the base image`],
    ['Node', process.version],
    ['user', user],
    ['file system', fileSystem],
    ['/livez answers', `${ms(liveMs)} after the start`],
    ['/readyz answers', `${ms(readyMs)} after the start, Twilio and Twitch connected`],
    ['SMS and its echo', ms(echoMs)],
    ['resident memory', memory === undefined ? 'unknown here' : `${memory} MiB`],
    ['SIGTERM', `exit code 0 after ${ms(stopMs)}`],
  ];
}

async function main() {
  const given = process.argv[2];
  if (given === '--help' || given === '-h') return console.log(USAGE);
  const folder = given === undefined ? mkdtempSync(join(tmpdir(), 'bitbrat-image-')) : resolve(given);
  const state = stateFolder();
  /** @type {Running[]} */
  const started = [];
  try {
    if (given === undefined) {
      chmodSync(folder, 0o755);
      execFileSync(join(ROOT, 'tools/image/assemble.sh'), [folder], { stdio: 'inherit' });
    }
    const figures = await check(folder, state, started);
    for (const [name = '', value] of figures) console.log(`${name.padEnd(17)}${value}`);
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error);
    process.exitCode = 1;
  } finally {
    for (const { child, exit } of started) if (exit === undefined) child.kill('SIGTERM');
    rmSync(state, { recursive: true, force: true });
    if (given === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

await main();
