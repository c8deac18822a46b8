import { type PlatformLoad } from './campaign-platform.js';
import { type Fault, laneOf, LEASE_BREAKING } from './fault.js';
import { ATTACHMENT_KINDS, type AttachmentKind } from './load/hostile-media.js';
import { Random } from './random.js';

/** A person writes. */
export interface WriteStep {
  readonly kind: 'write';
  /** Milliseconds after the start. */
  readonly at: number;
  readonly platform: string;
  readonly person: number;
  readonly token: string;
  /** Characters. */
  readonly length: number;
  /** The bot's answer. */
  readonly answer: AnswerPlan;
}

/** What a bot answers. */
export interface AnswerPlan {
  /** 0: nothing. */
  readonly words: number;
  /** Milliseconds from the answer's publication to its `expiresAt`; undefined: never. */
  readonly expiresInMs: number | undefined;
}

/** A bot sends something on its own. */
export interface SendStep {
  readonly kind: 'send';
  readonly at: number;
  readonly platform: string;
  /** Whom it is for. */
  readonly person: number;
  /** Of its text: two events with the same one have the same text. */
  readonly token: string;
  /** Which of the events with this text, from 0. */
  readonly copy: number;
  readonly words: number;
  /** `false`: the bot sets no ordering key. */
  readonly isOrdered: boolean;
  /** Milliseconds from its publication to its `expiresAt`; undefined: never. */
  readonly expiresInMs: number | undefined;
  /** What is attached; undefined: nothing. */
  readonly attachment: AttachmentKind | undefined;
  /** The same event is published a second time so many milliseconds later. */
  readonly repeatAfterMs: number | undefined;
}

/** Something goes wrong. */
export interface FaultStep {
  readonly kind: 'fault';
  readonly at: number;
  readonly fault: Fault;
  readonly durationMs: number;
  /** Of the numbers that decide the rest. */
  readonly seed: number;
}

/** One thing that happens in a run. */
export type Step = WriteStep | SendStep | FaultStep;

/** What a plan is made from. */
export interface PlanInput {
  readonly seed: number;
  /** Which of several runs on the same state, from 0: each has tokens and newcomers of its own. */
  readonly run?: number | undefined;
  /** Milliseconds of load and faults. */
  readonly spanMs: number;
  /** How much people write in all, messages a second. */
  readonly rate: number;
  readonly platforms: readonly { readonly name: string; readonly load: PlatformLoad }[];
  readonly faults: readonly Fault[];
  /** Stretches the time between two faults of a lane; default: 1. */
  readonly peace?: number | undefined;
  /** One long fault besides, from a tenth of the span on. */
  readonly long?: { readonly fault: Fault; readonly durationMs: number } | undefined;
}

/** Mean milliseconds from the end of a fault to the next one of its lane. */
const MEAN_PEACE_MS = 5_000;
/**
 * The same for what all platforms share. What the service had in hand when its process or its connection to
 * the bus ended comes again after the ack deadline of 20 s only, and with less peace than this hardly
 * anything would be sent in a whole run.
 */
const MEAN_PEACE_OF_SHARED_MS = 25_000;
const SHARED_LANES: readonly string[] = [...LEASE_BREAKING, 'state'];
/** Nothing new goes wrong so close to the end: the last faults need load to bite. */
const LAST_FAULT_MS = 3_000;
const LONG_SHARE = 0.03;
const REPEATED_SHARE = 0.1;
/**
 * Share of what is written and sent that is written or sent again word for word, as by people who say "yes"
 * twice.
 */
const EQUAL_SHARE = 0.04;
/** Twitch refuses the same text within 30 s, so most come within it. */
const EQUAL_WITHIN_MS = 25_000;
const UNORDERED_SHARE = 0.15;
const EXPIRING_SHARE = 0.15;
const EXPIRES_WITHIN_MS: readonly [number, number] = [2_000, 40_000];
/** What cannot be fetched holds up its destination until it expires. */
const ATTACHMENT_EXPIRES_MS: readonly [number, number] = [3_000, 8_000];
/** Copies of an event with no ordering key come close together, so that two processes have them at once. */
const COPIES_WITHIN_MS = 400;

/** Numbers that each platform, and each run, has to itself. */
export const TOKENS_OF_PLATFORM = 10_000_000;
export const TOKENS_OF_RUN = 100_000_000;
const NEWCOMERS_OF_RUN = 100_000;

/** All that will happen, in order of time. Pure: the seed decides everything. */
export function makePlan(input: PlanInput): readonly Step[] {
  const random = new Random(input.seed);
  const lanes = [...new Set(input.faults.map(({ name }) => laneOf(name)))];
  const long: FaultStep[] =
    input.long === undefined ? [] : [{ kind: 'fault', at: input.spanMs / 10, seed: 0, ...input.long }];
  return [
    ...long,
    ...input.platforms.flatMap((platform) => loadOf(platform, input, random.fork(`load ${platform.name}`))),
    ...lanes.flatMap((lane) => faultsOf(lane, input, random.fork(`faults ${lane}`))),
  ].sort((a, b) => a.at - b.at);
}

/** @param random of this platform alone, so that leaving out another changes nothing here */
function loadOf(
  { name, load }: PlanInput['platforms'][number],
  { platforms, rate, run = 0, spanMs }: PlanInput,
  random: Random,
): Step[] {
  const weights = platforms.reduce((sum, platform) => sum + platform.load.weight, 0);
  const meanMs = (1_000 * weights) / (rate * load.weight);
  const sends = (load.answered + load.unasked) * (1_000 / meanMs);
  const share = Math.min(1, load.sendLimit / sends);
  const base =
    run * TOKENS_OF_RUN + platforms.findIndex((platform) => platform.name === name) * TOKENS_OF_PLATFORM;
  const steps: Step[] = [];
  let people = load.people;
  const nameOf = (person: number): number =>
    person < load.people ? person : person + run * NEWCOMERS_OF_RUN;
  let written = 0;
  for (let at = 0; at < spanMs; at += random.exponential(meanMs)) {
    written += 1;
    const isNew = random.chance(load.newcomers);
    const words = (): number => (random.chance(LONG_SHARE) ? load.longWords : random.int(1, 8));
    const write: WriteStep = {
      kind: 'write',
      at,
      platform: name,
      person: nameOf(isNew ? people++ : random.int(0, people - 1)),
      token: `m${base + written}`,
      length: random.int(10, 200),
      answer: {
        words: random.chance(load.answered * share) ? words() : 0,
        expiresInMs: random.chance(EXPIRING_SHARE) ? random.int(...EXPIRES_WITHIN_MS) : undefined,
      },
    };
    steps.push(write);
    if (random.chance(EQUAL_SHARE)) steps.push({ ...write, at: at + random.int(50, EQUAL_WITHIN_MS) });
    if (!random.chance(load.unasked * share)) continue;
    const send: SendStep = {
      kind: 'send',
      at: at + random.next() * meanMs,
      platform: name,
      person: random.int(0, load.people - 1),
      token: `e${base + written}`,
      copy: 0,
      words: words(),
      ...sendTraits(load, random),
    };
    steps.push(send);
    if (!random.chance(EQUAL_SHARE)) continue;
    steps.push({ ...send, at: send.at + random.int(0, EQUAL_WITHIN_MS), copy: 1, repeatAfterMs: undefined });
  }
  return steps.filter((step) => step.at < spanMs);
}

/** How an event is sent. */
function sendTraits(
  { attachments }: PlatformLoad,
  random: Random,
): Pick<SendStep, 'attachment' | 'expiresInMs' | 'isOrdered' | 'repeatAfterMs'> {
  const isOrdered = !random.chance(UNORDERED_SHARE);
  const isRepeated = random.chance(REPEATED_SHARE * (isOrdered ? 1 : 3));
  const repeatAfterMs = random.int(0, isOrdered || random.chance(0.3) ? 30_000 : COPIES_WITHIN_MS);
  const isExpiring = random.chance(EXPIRING_SHARE);
  const expiresInMs = random.int(...EXPIRES_WITHIN_MS);
  const hasAttachment = random.chance(attachments);
  const attachment = random.pick(ATTACHMENT_KINDS);
  const fetchMs = random.int(...ATTACHMENT_EXPIRES_MS);
  return {
    isOrdered,
    repeatAfterMs: isRepeated ? repeatAfterMs : undefined,
    expiresInMs: hasAttachment ? fetchMs : isExpiring ? expiresInMs : undefined,
    attachment: hasAttachment ? attachment : undefined,
  };
}

function faultsOf(lane: string, { faults, peace = 1, spanMs }: PlanInput, random: Random): Step[] {
  const rows = faults.filter(({ name }) => laneOf(name) === lane);
  const steps: Step[] = [];
  const meanMs = peace * (SHARED_LANES.includes(lane) ? MEAN_PEACE_OF_SHARED_MS : MEAN_PEACE_MS);
  let at = random.exponential(meanMs);
  while (at < spanMs - LAST_FAULT_MS) {
    const fault = random.weighted(rows, ({ weight }) => weight);
    const durationMs = random.int(...fault.lastsMs);
    steps.push({ kind: 'fault', at, fault, durationMs, seed: random.int(0, 2 ** 31) });
    at += durationMs + random.exponential(meanMs);
  }
  return steps;
}
