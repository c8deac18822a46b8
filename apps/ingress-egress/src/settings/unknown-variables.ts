/** A variable that the service does not know, though its name looks as if it were one of its settings. */
export interface UnknownVariable {
  readonly variable: string;
  /** The setting that was probably meant. */
  readonly nearest?: string;
}

/** More would be another program's. */
const MAX_REPORTED = 20;

/**
 * First words of names that are this service's own. Other settings (`PORT`, `HOST`, `LOG_LEVEL`) have common names, and are
 * recognised only by a near miss of the whole name.
 */
const OWN_WORDS = [
  'TWILIO',
  'TWITCH',
  'DISCORD',
  'MESSAGE_BUS',
  'BUS',
  'EGRESS',
  'PUBSUB',
  'STATE',
  'FIRESTORE',
  'ECHO_BOT',
  'SANDBOX',
] as const;

/**
 * Names that others set. Twilio's CLI and libraries; Google's emulators (`gcloud beta emulators … env-init`); systemd;
 * Kubernetes, for each service of a namespace.
 */
const FOREIGN = [
  /^TWILIO_(?:REGION|EDGE|PROFILE|AUTH_TYPE|LOG_LEVEL|CLI_.*|OUTPUT_FORMAT|.*_FLEX_.*)$/,
  /^PUBSUB_PROJECT_ID$/,
  /^FIRESTORE_(?:DATASET|EMULATOR_HOST_PATH|HOST|PROJECT_ID)$/,
  /^STATE_DIRECTORY$/,
  /_SERVICE_(?:HOST|PORT)(?:_.*)?$/,
  /_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.*)?)?$/,
];

/**
 * Variables that are probably misspelt settings, in order of their names. Pure; no value is looked at.
 * @param names of the environment's variables
 * @param known names of all settings
 */
export function findUnknownVariables(
  names: readonly string[],
  known: ReadonlySet<string>,
): readonly UnknownVariable[] {
  return names
    .filter(
      (name) => name.length <= 100 && !known.has(name) && !FOREIGN.some((pattern) => pattern.test(name)),
    )
    .sort()
    .flatMap((variable): UnknownVariable[] => {
      const nearest = nearestOf(variable.toUpperCase(), known);
      if (nearest !== undefined) return [{ variable, nearest }];
      return hasOwnWord(variable) ? [{ variable }] : [];
    })
    .slice(0, MAX_REPORTED);
}

function hasOwnWord(name: string): boolean {
  const upper = name.toUpperCase();
  return OWN_WORDS.some((word) => {
    if (upper.startsWith(`${word}_`)) return true;
    const [first = ''] = upper.split('_');
    return word.length >= 6 && first !== upper && distance(first, word) === 1;
  });
}

/** The nearest known name, if it is near enough to be a misspelling. */
function nearestOf(name: string, known: ReadonlySet<string>): string | undefined {
  const words = hasOwnWord(name);
  // Within the service's own words a name may be further off: TWILIO_TOKEN for TWILIO_AUTH_TOKEN.
  const limit = words ? Math.min(5, Math.max(2, Math.floor(name.length / 2))) : name.length < 8 ? 0 : 1;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const found = distance(name, candidate);
    if (found <= limit && (best === undefined || found < best.distance))
      best = { name: candidate, distance: found };
  }
  return best?.name;
}

/** The least number of letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + cost,
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    before = above;
    above = current;
  }
  return above[b.length] ?? 0;
}
