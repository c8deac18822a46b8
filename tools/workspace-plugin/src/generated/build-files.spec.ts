import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(__dirname, '../../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

interface CloudBuildStep {
  readonly id: string;
  readonly name: string;
  readonly script?: string;
  readonly args?: readonly string[];
}

interface WorkflowStep {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

describe('cloudbuild.yaml', () => {
  const text = read('cloudbuild.yaml');
  // The tests below look at what it is.
  const build = parse(text) as { steps: CloudBuildStep[]; substitutions: Record<string, string> };

  it('verifies before it builds, and deploys last', () => {
    expect(build.steps.map(({ id }) => id)).toEqual([
      'fetch-history',
      'find-deployed-commit',
      'fetch-node',
      'verify',
      'build-image',
      'push-image',
      'deploy',
    ]);
  });

  it('has scripts that are bash and call files that are there', () => {
    for (const { script } of build.steps) {
      if (script === undefined) continue;
      execFileSync('bash', ['-n'], { input: script });
      for (const [file] of script.matchAll(/(?<![\w/])(?:\.\/|deploy\/)[\w./-]+\.sh/g)) {
        expect(statSync(join(ROOT, file)).mode & 0o111).not.toBe(0);
      }
    }
  });

  it('uses substitutions that are declared, and all of those', () => {
    const used = [...text.matchAll(/\$\{?(_[A-Z_]+)/g)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(Object.keys(build.substitutions)));
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const architecture = parse(read('architecture.yaml')) as { deployment: { build: { nodeImage: string } } }; // by its schema

  it('starts from the image that architecture.yaml names, with its version', () => {
    const bases = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    expect(bases).toEqual([architecture.deployment.build.nodeImage, architecture.deployment.build.nodeImage]);
  });

  it('holds what assemble.sh assembles and nothing else', () => {
    expect(lines.filter((line) => line.includes('tools/image/assemble.sh /image'))).toHaveLength(1);
    expect(last.filter((line) => /^(COPY|ADD|RUN)/.test(line))).toEqual([
      'COPY --from=build /image/app /app',
    ]);
  });

  it('runs without root and without a shell', () => {
    expect(last).toContain('USER 1000:1000');
    expect(last.at(-1)).toBe('ENTRYPOINT ["/usr/local/bin/node", "/app/main.mjs"]');
  });
});

describe('.dockerignore', () => {
  const lines = read('.dockerignore').split('\n');

  it('lets in what is named only, and never secrets or what was built elsewhere', () => {
    expect(lines.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
    expect(lines).toEqual(expect.arrayContaining(['**/.env', '**/node_modules', '**/dist']));
  });

  it('lets in files that are there', () => {
    const named = lines.flatMap((line) => /^!(.+)$/.exec(line)?.[1] ?? []);
    expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

describe('assemble.sh', () => {
  let world: string;
  const assemble = (folder: string): { status: number | null; stderr: string } =>
    spawnSync(join(world, 'tools/image/assemble.sh'), [folder], { encoding: 'utf8' });

  beforeEach(() => {
    world = mkdtempSync(join(tmpdir(), 'assemble-'));
    mkdirSync(join(world, 'tools/image'), { recursive: true });
    cpSync(join(ROOT, 'tools/image/assemble.sh'), join(world, 'tools/image/assemble.sh'));
    writeFileSync(join(world, 'LICENSE'), 'MIT');
  });

  afterEach(() => {
    rmSync(world, { recursive: true, force: true });
  });

  it('takes the bundles and the licences, without source maps, for reading only', () => {
    const dist = join(world, 'apps/ingress-egress/dist');
    mkdirSync(join(dist, 'chunks'), { recursive: true });
    for (const name of [
      'main.mjs',
      'main.mjs.map',
      'main.mjs.LEGAL.txt',
      'chunks/a.mjs',
      'chunks/a.mjs.map',
      'chunks/a.mjs.LEGAL.txt',
    ]) {
      writeFileSync(join(dist, name), name);
    }
    const target = join(world, 'target');
    expect(assemble(target)).toMatchObject({ status: 0 });
    const files = readdirSync(target, { recursive: true, encoding: 'utf8' }).sort();
    expect(files).toEqual([
      'app',
      'app/LICENSE',
      'app/chunks',
      'app/chunks/a.mjs',
      'app/chunks/a.mjs.LEGAL.txt',
      'app/main.mjs',
      'app/main.mjs.LEGAL.txt',
    ]);
    expect(files.filter((file) => (statSync(join(target, file)).mode & 0o222) !== 0)).toEqual([]);
    expect(assemble(target)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('name an empty folder') as string,
    }); // a matcher
    execFileSync('chmod', ['-R', 'u+w', target]);
  });

  it('says how to get the service built', () => {
    const { status, stderr } = assemble(join(world, 'target'));
    expect(status).toBe(1);
    expect(stderr).toContain('npx nx build ingress-egress');
  });
});

describe('ci.yml', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as {
    on: Record<string, unknown>;
    jobs: Record<string, { strategy: { matrix: { node: number[] } }; steps: WorkflowStep[] }>;
  }; // the tests below look at what it is
  const job = workflow.jobs['validate'];
  const commands = (job?.steps ?? []).flatMap(({ if: condition, run }) =>
    run === undefined ? [] : [[condition, run]],
  );

  it('runs on pull requests and on main, on each supported Node', () => {
    expect(workflow.on).toEqual({ pull_request: null, push: { branches: ['main'] } });
    expect(job?.strategy.matrix.node).toEqual([20, 22, 24]);
  });

  it('has the whole history, and runs what runs on a laptop', () => {
    expect(job?.steps.find(({ uses }) => uses?.startsWith('actions/checkout@'))?.with).toEqual({
      'fetch-depth': 0,
    });
    expect(commands).toEqual([
      ["github.event_name == 'pull_request'", './validate_deliverable.sh --affected "$BASE"'],
      ["github.event_name == 'push'", './validate_deliverable.sh'],
    ]);
  });

  it('has no emulator but the one of the image that Cloud Build uses', () => {
    const version = job?.steps.find(({ uses }) => uses?.includes('setup-gcloud@'))?.with?.['version'];
    expect(read('cloudbuild.yaml')).toContain(`google-cloud-cli:${String(version)}-emulators`);
  });
});
