import { randomUUID } from 'node:crypto';
import { fault, type Finding, ok, warning } from '@bitbrat/connectors-core';
import { type Topics } from '@bitbrat/envelope';
import { BusError, type BusErrorCode, type MessageBus, type TopicKeeper } from '@bitbrat/message-bus';
import { type StateStore, StateStoreError, type StateStoreErrorCode } from '@bitbrat/state-store';
import { type ServiceConfig } from '../config.js';

/** Milliseconds that the bus and the store get to answer. */
const ANSWER_MS = 5_000;

/** Milliseconds after which Pub/Sub removes the doctor's subscription; a day is the shortest time. */
const SUBSCRIPTION_EXPIRES_AFTER_MS = 24 * 60 * 60 * 1_000;

/** Whether the bus answers. */
export async function checkBus(
  bus: MessageBus,
  { bus: settings, projectId }: ServiceConfig,
): Promise<Finding> {
  try {
    await bus.checkHealth(ANSWER_MS);
  } catch (error) {
    return toBusFault(error, settings.emulatorHost);
  }
  if (settings.driver === 'memory')
    return ok('memory: in the process, for trying only; messages end with it');
  return ok(
    settings.emulatorHost === undefined
      ? `Pub/Sub answers for project ${projectId}`
      : `the Pub/Sub emulator at ${settings.emulatorHost} answers`,
  );
}

/**
 * Whether topics and subscriptions can be made: makes one of the service's own topics, where it is missing, and a subscription that the bus
 * removes by itself.
 */
export async function checkTopics(
  bus: MessageBus & TopicKeeper,
  topics: Topics,
  { bus: settings }: ServiceConfig,
): Promise<Finding> {
  const topic = topics.status;
  const subscription = `${topic}.doctor`;
  try {
    for (const each of [topics.ingress, topics.outcome, topics.status, topics.deadLetter]) {
      await bus.inspectTopic(each);
    }
    if (!settings.createMissing) {
      return ok('the topics exist; making subscriptions is not tried, because PUBSUB_CREATE_MISSING=false');
    }
    const open = await bus.subscribe(
      { topic, subscription, expireAfterMs: SUBSCRIPTION_EXPIRES_AFTER_MS },
      () => Promise.resolve('ack'),
    );
    await open.close(0);
    return ok('topics and subscriptions can be made');
  } catch (error) {
    return toBusFault(error, settings.emulatorHost);
  }
}

/** Whether anybody gets the messages of people. */
export async function checkSubscribers(
  bus: TopicKeeper,
  topic: string,
  { bus: settings, echoBot }: ServiceConfig,
): Promise<Finding> {
  try {
    const subscriptions = await bus.inspectTopic(topic);
    if (subscriptions === 'some') return ok(`${topic} has subscriptions`);
    if (echoBot) return ok(`the echo bot of the service will subscribe to ${topic}`);
    const cure = `start a bot, or make its subscription: gcloud pubsub subscriptions create my-bot --topic=${topic} --enable-message-ordering`;
    if (subscriptions === 'unknown') {
      return warning(
        `whether anybody is subscribed to ${topic} cannot be seen`,
        `give the service account roles/pubsub.viewer; where nobody is: ${cure}`,
      );
    }
    const effect = settings.holdIngress ? 'messages of people wait' : 'messages of people are lost';
    return fault(`nobody is subscribed to ${topic}: ${effect}`, cure);
  } catch (error) {
    return toBusFault(error, settings.emulatorHost);
  }
}

const BUS_CURES: Partial<Record<BusErrorCode, string>> = {
  FORBIDDEN:
    'give the service account roles/pubsub.editor; or make topics and subscriptions by hand and set PUBSUB_CREATE_MISSING=false',
  INVALID_NAME: 'correct BUS_PREFIX',
  NOT_FOUND:
    'run the command that is named, or check GOOGLE_CLOUD_PROJECT and that Pub/Sub is switched on in it',
};

function toBusFault(error: unknown, emulatorHost: string | undefined): Finding {
  const unreachable =
    emulatorHost === undefined
      ? 'check the network, GOOGLE_CLOUD_PROJECT and the credentials (the service account, or GOOGLE_APPLICATION_CREDENTIALS)'
      : `start the emulator at ${emulatorHost}, or correct PUBSUB_EMULATOR_HOST`;
  if (!(error instanceof BusError)) return fault(String(error), unreachable);
  return fault(`${error.code}: ${error.message}`, BUS_CURES[error.code] ?? unreachable);
}

/** Whether the store answers and keeps what is written, by a key of the doctor's own that is taken away again. */
export async function checkStore(
  store: StateStore,
  { state }: ServiceConfig,
  isServiceRunning: boolean,
): Promise<Finding> {
  const where = state.driver === 'file' ? state.file : `Firestore collection ${state.collection}`;
  const key = `doctor/${randomUUID()}`;
  try {
    await store.checkHealth(ANSWER_MS);
    await store.set(key, 'written');
    await store.delete(key);
    return ok(`${where} can be read and written`);
  } catch (error) {
    if (!(error instanceof StateStoreError)) return fault(String(error), 'look at the log of the service');
    if (error.code === 'LOCKED' && isServiceRunning) return ok(`${where} is in use by the running service`);
    const cures = state.driver === 'file' ? FILE_CURES : FIRESTORE_CURES;
    return fault(`${error.code}: ${error.message}`, cures[error.code] ?? 'look at the log of the service');
  }
}

type StoreCures = Partial<Record<StateStoreErrorCode, string>>;

const FILE_CURES: StoreCures = {
  CORRUPT:
    'put a backup of STATE_FILE in its place, or move it away: reading then begins anew, within the history bound',
  FORBIDDEN: 'let the service read and write STATE_FILE and its folder',
  INVALID_CONFIG: 'correct STATE_FILE: it names a file in a folder',
  LOCKED: 'stop the other process, or give this one a STATE_FILE of its own',
  UNAVAILABLE: 'check the disk of STATE_FILE: its space, and that it is local',
};

const FIRESTORE_CURES: StoreCures = {
  FORBIDDEN: 'give the service account roles/datastore.user',
  INVALID_CONFIG: 'make a Firestore database in Native mode in the project, or correct GOOGLE_CLOUD_PROJECT',
  UNAVAILABLE: 'check the network and the credentials; with FIRESTORE_EMULATOR_HOST, start the emulator',
};
