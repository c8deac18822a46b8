import fc from 'fast-check';
import { KNOWN_VARIABLES } from './known-variables.js';
import { distance, findUnknownVariables } from './unknown-variables.js';

const find = (...names: string[]) => findUnknownVariables(names, KNOWN_VARIABLES);

describe('findUnknownVariables', () => {
  it.each([
    ['TWICH_ENABLED', 'TWITCH_ENABLED'],
    ['TWITCH_ENABLE', 'TWITCH_ENABLED'],
    ['twitch_enabled', 'TWITCH_ENABLED'],
    ['TWILLIO_AUTH_TOKEN', 'TWILIO_AUTH_TOKEN'],
    ['TWILIO_TOKEN', 'TWILIO_AUTH_TOKEN'],
    ['DISCROD_BOT_TOKEN', 'DISCORD_BOT_TOKEN'],
    ['DISCORD_TOKEN', 'DISCORD_BOT_TOKEN'],
    ['DISCORD_GUILD_IDS', 'DISCORD_GUILD_ID'],
    ['EGRESS_INSTANCEID', 'EGRESS_INSTANCE_ID'],
    ['BUS_PREFX', 'BUS_PREFIX'],
    ['MESSAGE_BUS_DIRVER', 'MESSAGE_BUS_DRIVER'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['DEBUG_TOKENS', 'DEBUG_TOKEN'],
    ['GOOGLE_CLOUD_PROJCET', 'GOOGLE_CLOUD_PROJECT'],
    ['STATE_FILES', 'STATE_FILE'],
  ])('names %s, and %s as the nearest', (variable, nearest) => {
    expect(find(variable)).toEqual([{ variable, nearest }]);
  });

  it.each(['TWITCH_FAVOURITE_COLOUR_OF_THE_DAY', 'DISCORD_SOMETHING_ELSE_ENTIRELY'])(
    'names %s, to which none is near',
    (variable) => {
      expect(find(variable)).toEqual([{ variable }]);
    },
  );

  it('finds every misspelling of a platform setting by one letter', () => {
    const settings = [...KNOWN_VARIABLES].filter((name) => /^(?:TWILIO|TWITCH|DISCORD)_/.test(name));
    const letter = fc.stringMatching(/^[A-Z_]$/);
    fc.assert(
      fc.property(fc.constantFrom(...settings), fc.nat(), letter, (name, at, wrong) => {
        const place = at % name.length;
        const misspelt = name.slice(0, place) + wrong + name.slice(place + 1);
        if (KNOWN_VARIABLES.has(misspelt)) return;
        expect(find(misspelt).map(({ variable }) => variable)).toEqual([misspelt]);
      }),
      { verbose: true },
    );
  });

  it('raises no alarm for what platforms, tools and systems set', () => {
    const foreign =
      `PATH HOME HOSTNAME HOSTTYPE PWD OLDPWD SHLVL SHELL USER LOGNAME LANG LC_ALL TERM TZ MAIL EDITOR PAGER
      NODE_ENV NODE_OPTIONS NODE_VERSION NODE_PATH npm_config_cache npm_lifecycle_event npm_package_name INIT_CWD CI DEBUG POST SORT
      K_SERVICE K_REVISION K_CONFIGURATION CLOUD_RUN_JOB CLOUD_RUN_EXECUTION GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_QUOTA_PROJECT
      GOOGLE_CLOUD_REGION GOOGLE_SDK_NODE_LOGGING GCLOUD_PROJECT GCP_PROJECT CLOUDSDK_CORE_PROJECT METADATA_SERVER_DETECTION GCE_METADATA_HOST
      PUBSUB_PROJECT_ID FIRESTORE_DATASET FIRESTORE_EMULATOR_HOST_PATH FIRESTORE_HOST FIRESTORE_PROJECT_ID
      TWILIO_REGION TWILIO_EDGE TWILIO_PROFILE TWILIO_CLI_VERSION TWILIO_LOG_LEVEL
      DBUS_SESSION_BUS_ADDRESS STATE_DIRECTORY LOGS_DIRECTORY RUNTIME_DIRECTORY INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET SYSTEMD_EXEC_PID
      KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP BUS_SERVICE_HOST BUS_PORT BUS_PORT_80_TCP_ADDR TWITCH_BOT_SERVICE_PORT_HTTP
      HTTPS_PROXY NO_PROXY SSL_CERT_FILE container DISPLAY XDG_RUNTIME_DIR SSH_AUTH_SOCK VSCODE_PID WT_SESSION COLORTERM _`.split(
        /\s+/,
      );
    expect(find(...foreign)).toEqual([]);
    expect(find(...KNOWN_VARIABLES)).toEqual([]);
  });

  it('reports a bounded number, in bounded time', () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `TWITCH_${'X'.repeat(90)}${index}`);
    expect(find(...names).length).toBeLessThanOrEqual(20);
  });
});

describe('distance', () => {
  it('is a distance', () => {
    const word = fc.string({ unit: fc.constantFrom('A', 'B', 'C'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a));
        expect(distance(a, b) === 0).toBe(a === b);
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
      { verbose: true },
    );
  });
});
