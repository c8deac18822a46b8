import { backoffMs } from './backoff.js';
import { abortedError, closedError, DEFAULT_MAX_IN_FLIGHT } from './bus-rules.js';
import { pause, settledWithin, systemBusClock } from './clock.js';
import { errorText, silentBusLogger } from './logger.js';
import {
  BusError,
  type BusSubscription,
  type MessageBus,
  type MessageHandler,
  type OutgoingMessage,
  type PublishOptions,
  type SubscribeOptions,
} from './message-bus.js';
import { assertResourceName, measureMessage } from './message-limits.js';
import { PubSubAdmin } from './pubsub-admin.js';
import { openPubSubClient, type PubSubClient } from './pubsub-client.js';
import { classifyFault, GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubBusOptions } from './pubsub-options.js';
import { PubSubReader } from './pubsub-reader.js';
import { PublishGate } from './publish-gate.js';
import { type LaneContext, type PendingPublish, PublishLane, type PublishVerdict } from './publish-lane.js';
