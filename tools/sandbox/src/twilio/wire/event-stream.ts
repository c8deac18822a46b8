import { type FaultRules } from '../../fault-rules.js';
import { type JsonObject } from '../../json.js';
import { type ArmedFault } from '../fault-schema.js';
import { type FrameWriter } from './frame-writer.js';
import { type Stats } from '../stats.js';
import { type SubscriptionsRequest } from '../sync/sync-requests.js';
import { type SyncEvent, type SyncObject, type SyncStore, type SyncSubscriber } from '../sync/sync-store.js';
import { EVENT_PROTOCOL_VERSION, eventType, toEventPayload } from '../sync/sync-wire.js';
import { type TwilsockSession } from './twilsock-session.js';

/** The Sync events of one connection: its subscriptions, the replay of what it missed, the live pushes. */
export class EventStream implements SyncSubscriber {
  readonly #subscriptions = new Set<string>();

  /** @param session what the client must never see, over its reconnects. */
  constructor(
    readonly identity: string,
    private readonly session: TwilsockSession,
    private readonly writer: FrameWriter,
    private readonly deps: {
      readonly store: SyncStore;
      readonly faults: FaultRules<ArmedFault>;
      readonly stats: Stats;
    },
  ) {}

  /** Opens or closes subscriptions; replay and confirmation of each are written in one step. */
  subscribe(request: SubscriptionsRequest, mayRead: (uniqueName: string) => boolean): void {
    let replays: boolean | undefined;
    for (const { object_sid: sid, object_type: type, last_event_id: last } of request.requests) {
      const object = this.deps.store.find(sid);
      const answer = (name: string, event: JsonObject): void =>
        this.writer.notify({
          event_type: name,
          correlation_id: request.correlation_id,
          event_protocol_version: EVENT_PROTOCOL_VERSION,
          event: { object_sid: sid, object_type: type, ...event },
        });
      if (request.action === 'cancel') {
        this.deps.store.unsubscribe(sid, this);
        this.#subscriptions.delete(sid);
        answer('subscription_canceled', {});
      } else if (object === undefined || !mayRead(object.uniqueName)) {
        answer('subscription_failed', { error: { status: 404, code: 54300, message: 'Object not found' } });
      } else {
        this.#subscriptions.add(sid);
        const missed = this.deps.store.subscribe(sid, last, this);
        // One request opens all that a client has: it strikes once for all of them.
        if (missed.length > 0) replays ??= this.deps.faults.strike('no-replay') === undefined;
        if (replays === true) this.#replay(object, missed);
        answer('subscription_established', {
          replay_status: 'completed',
          last_event_id: object.lastEventId,
        });
      }
    }
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const sid of this.#subscriptions) this.deps.store.unsubscribe(sid, this);
    this.#subscriptions.clear();
  }

  deliver(object: SyncObject, event: SyncEvent): void {
    const type = eventType(object.kind, event);
    const lost = this.deps.faults.strike(
      'lose-push',
      (fault) =>
        fault.events.includes(type) &&
        (fault.object === undefined || new RegExp(fault.object).test(object.uniqueName)),
    );
    if (lost === undefined) {
      this.#push(object, event);
      return;
    }
    this.deps.stats.count(`lost ${type}`);
    if (!lost.replay) this.session.lost.add(event.sequence);
  }

  #replay(object: SyncObject, events: readonly SyncEvent[]): void {
    for (const event of events) {
      if (this.session.isLost(event.sequence)) continue;
      this.deps.stats.count('replayed events');
      this.#push(object, event);
    }
  }

  #push(object: SyncObject, event: SyncEvent): void {
    this.deps.stats.count(`pushed ${eventType(object.kind, event)}`);
    this.writer.notify(toEventPayload(object, event), `com.twilio.rtd.cds.${object.kind}`);
  }
}
