import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(__dirname, '../../../..');

/** Writes down how it is called and answers as the files in $WORLD say. */
const GCLOUD = `#!/bin/bash
echo "$*" >>"$WORLD/calls"
case "$*" in
  "run services list"*) cat "$WORLD/serving" 2>/dev/null || true ;;
  "run services describe"*) [ -f "$WORLD/url" ] && cat "$WORLD/url" ;;
  "run services replace"*) cp "$4" "$WORLD/replaced" 2>/dev/null || cp "$3" "$WORLD/replaced"; [ ! -f "$WORLD/broken" ] && echo new >"$WORLD/serving" ;;
  "run revisions describe"*) cat "$WORLD/commit" ;;
  "projects describe"*) echo 12345 ;;
  *"describe"*) [ -f "$WORLD/present" ] ;;
  *) true ;;
esac
`;
const CURL = `#!/bin/bash
echo "curl $*" >>"$WORLD/calls"
cat "$WORLD/status" 2>/dev/null
`;

const GIVEN = {
  GOOGLE_CLOUD_PROJECT: 'a-project',
  TWILIO_ACCOUNT_SID: 'AC1',
  TWILIO_API_KEY: 'SK1',
  TWILIO_CHAT_SERVICE_SID: 'IS1',
  TWILIO_IDENTITY: "o'bot & co",
  TWILIO_WEBHOOK_URL: 'https://example.com/webhooks/twilio',
};

let world: string;

beforeEach(() => {
  world = mkdtempSync(join(tmpdir(), 'deployment-'));
  mkdirSync(join(world, 'bin'));
  const commands = { gcloud: GCLOUD, curl: CURL, sleep: '#!/bin/bash\n' };
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(world, 'bin', name), text);
    chmodSync(join(world, 'bin', name), 0o755);
  }
});

afterEach(() => {
  rmSync(world, { recursive: true });
});

const put = (name: string, text: string): void => {
  writeFileSync(join(world, name), text);
};
const seen = (name: string): string =>
  existsSync(join(world, name)) ? readFileSync(join(world, name), 'utf8') : '';

function run(
  script: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = GIVEN,
): { code: number | null; output: string } {
  const { status, stderr, stdout } = spawnSync(join(ROOT, script), parameters, {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      NODE_ENV: 'test',
      PATH: `${join(world, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
      WORLD: world,
      ...env,
    },
  });
  return { code: status, output: `${stdout}${stderr}` };
}

const deploy = (...parameters: string[]): ReturnType<typeof run> => run('deploy/deploy.sh', parameters);

describe('deploy.sh', () => {
  it('puts the values into the manifest, whatever characters they have', () => {
    const { code, output } = deploy('--render', 'dev', 'image:1', 'abc');
    expect(code).toBe(0);
    expect(output).not.toContain('${');
    const manifest: unknown = parse(output);
    expect(manifest).toMatchObject({
      spec: {
        template: {
          metadata: { labels: { 'commit-sha': 'abc' } },
          spec: { serviceAccountName: 'ingress-egress-dev@a-project.iam.gserviceaccount.com' },
        },
      },
    });
    expect(JSON.stringify(manifest)).toContain('{"name":"TWILIO_IDENTITY","value":"o\'bot & co"}');
    expect(seen('calls')).toBe('');
  });

  it('deploys nothing while a value is missing, and names all that are', () => {
    const { code, output } = run('deploy/deploy.sh', ['dev', 'image:1', 'abc'], {
      ...GIVEN,
      TWILIO_API_KEY: '',
      TWILIO_IDENTITY: '',
    });
    expect(code).not.toBe(0);
    expect(output).toContain('no value for TWILIO_API_KEY TWILIO_IDENTITY:');
    expect(seen('calls')).toBe('');
  });

  it('ends well when the service is ready', () => {
    put('serving', 'old');
    put('url', 'https://service.example');
    put('status', '200');
    const { code, output } = deploy('dev', 'image:1', 'abc');
    expect(output).toContain('ready at https://service.example');
    expect(code).toBe(0);
    expect(seen('replaced')).toContain("image: 'image:1'");
    expect(seen('calls')).toContain('https://service.example/health/ready');
    expect(seen('calls')).not.toContain('update-traffic');
  });

  it('goes back to the revision before when the service is not ready', () => {
    put('serving', 'old');
    put('url', 'https://service.example');
    put('status', '503');
    const { code, output } = deploy('dev', 'image:1', 'abc');
    expect(code).toBe(1);
    expect(output).toContain('going back to old');
    expect(seen('calls')).toContain('run services update-traffic ingress-egress-dev --to-revisions=old=100');
    expect(seen('calls').match(/^curl /gm)).toHaveLength(24);
  });

  it('says so when there is nothing to go back to', () => {
    put('url', 'https://service.example');
    put('status', '503');
    const { code, output } = deploy('dev', 'image:1', 'abc');
    expect(code).toBe(1);
    expect(output).toContain('there is no revision to go back to');
    expect(seen('calls')).not.toContain('update-traffic');
  });

  it('leaves the traffic where it is when the new revision does not start', () => {
    put('serving', 'old');
    put('broken', '');
    const { code, output } = deploy('dev', 'image:1', 'abc');
    expect(code).toBe(1);
    expect(output).toContain('old serves on');
    expect(seen('calls')).not.toMatch(/update-traffic|^curl/m);
  });

  it('refuses an environment that there is not', () => {
    expect(deploy('stage', 'image:1', 'abc')).toMatchObject({ code: 2 });
  });
});

describe('deployed-commit.sh', () => {
  const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();

  it.each([
    ['the commit of the serving revision', 'old', head, head],
    ['nothing before the first deployment', '', head, ''],
    ['nothing for a commit that HEAD does not come from', 'old', '0'.repeat(40), ''],
    ['nothing for a revision without the label', 'old', '', ''],
  ])('prints %s', (_what, serving, commit, expected) => {
    put('serving', serving);
    put('commit', commit);
    const { code, output } = run('deploy/deployed-commit.sh', ['prod', 'a-project']);
    expect({ code, output: output.trim() }).toEqual({ code: 0, output: expected });
  });
});

describe.each(['dev', 'prod'])('setup.%s.sh', (name) => {
  const setup = (): string[] => {
    const { code, output } = run(`deploy/setup.${name}.sh`, ['a-project']);
    if (code !== 0) throw new Error(output);
    return seen('calls').trim().split('\n');
  };
  const prefix = name === 'dev' ? 'dev.' : '';
  const suffix = name === 'dev' ? '-dev' : '';

  it('makes topics, subscriptions with the dead-letter policy, accounts and secrets', () => {
    const calls = setup().join('\n');
    for (const topic of [
      'ingress.v1',
      `egress.v1.ingress-egress${suffix}`,
      'deadletter.v1',
      'egress.undelivered.v1',
    ]) {
      expect(calls).toContain(`pubsub topics create ${prefix}internal.${topic} --project=a-project`);
    }
    expect(calls).toMatch(
      /subscriptions create \S*internal\.egress\.v1\.\S+ .*--enable-message-ordering .*--expiration-period=never .*--dead-letter-topic=\S*internal\.egress\.undelivered\.v1 --max-delivery-attempts=100 --project=a-project/,
    );
    expect(calls).toMatch(/subscriptions create \S*internal\.deadletter\.v1\.desk /);
    expect(calls).toContain(`iam service-accounts create ingress-egress${suffix} --project=a-project`);
    expect(calls).toContain(`secrets create twilio-auth-token${suffix} `);
  });

  it('gives the service rights on its own things only, but for Firestore', () => {
    const granted = setup().filter((call) => call.includes(`serviceAccount:ingress-egress${suffix}@`));
    const project = granted.filter((call) => call.startsWith('projects '));
    expect(project.map((call) => /--role=(\S+)/.exec(call)?.[1])).toEqual(['roles/datastore.user']);
    expect(granted.join('\n')).not.toMatch(/roles\/(owner|editor|pubsub\.(admin|editor)|run\.)/);
  });

  it('writes no secret and makes nothing that is there', () => {
    put('present', '');
    put('url', 'https://service.example');
    const calls = setup();
    expect(
      calls.filter((call) => / (create|versions add) /.test(call) && !call.includes('identity')),
    ).toEqual([]);
    expect(calls.join('\n')).toContain(
      `run services add-iam-policy-binding ingress-egress${suffix} --member=allUsers`,
    );
  });
});
