import { type JsonObject } from '../../json.js';
import { type Page } from './sync-paging.js';
import { type SyncEvent, type SyncItem, type SyncKind, type SyncObject } from './sync-store.js';

/** Version of the event format that the SDK speaks. */
export const EVENT_PROTOCOL_VERSION = 4;

const COLLECTIONS = { document: 'Documents', list: 'Lists', map: 'Maps' } as const;

function objectUrl(object: SyncObject, serviceSid: string): string {
  return `https://cds.us1.twilio.com/v3/Services/${serviceSid}/${COLLECTIONS[object.kind]}/${encodeURIComponent(object.uniqueName)}`;
}

/** The reply to a GET of an object; with `includeItems`, a map's items come along. */
export function toDescriptor(object: SyncObject, serviceSid: string, includeItems: boolean): JsonObject {
  const url = objectUrl(object, serviceSid);
  return {
    sid: object.sid,
    unique_name: object.uniqueName,
    service_sid: serviceSid,
    url,
    revision: String(object.revision),
    last_event_id: object.lastEventId,
    date_created: object.dateCreated,
    date_updated: object.dateUpdated,
    date_expires: null,
    ...(object.kind === 'document' ? { data: object.data } : { links: { items: `${url}/Items` } }),
    ...(includeItems ? { items: object.items.map((item) => toItem(object, item, serviceSid)) } : {}),
  };
}

/** The reply to a GET of items. */
export function toItemsPage(object: SyncObject, page: Page<SyncItem>, serviceSid: string): JsonObject {
  return {
    items: page.items.map((item) => toItem(object, item, serviceSid)),
    // Only whether a token is there is read; paging goes on by `From`.
    meta: { previous_token: page.hasPrevious ? 'more' : null, next_token: page.hasNext ? 'more' : null },
  };
}

function toItem(object: SyncObject, item: SyncItem, serviceSid: string): JsonObject {
  return {
    ...(object.kind === 'list' ? { index: item.key } : { key: item.key }),
    url: `${objectUrl(object, serviceSid)}/Items/${encodeURIComponent(item.key)}`,
    revision: String(item.revision),
    last_event_id: item.lastEventId,
    date_created: item.dateCreated,
    date_updated: item.dateUpdated,
    date_expires: null,
    data: item.data,
  };
}

/** The name of a change on the wire, e.g. `list_item_added`. */
export function eventType(kind: SyncKind, event: SyncEvent): string {
  return kind === 'document' ? 'document_updated' : `${kind}_item_${event.change}`;
}

/** The payload of a live or replayed event. */
export function toEventPayload(object: SyncObject, event: SyncEvent): JsonObject {
  const common = { id: event.id, date_created: event.date, date_expires: null };
  const body: JsonObject =
    object.kind === 'document'
      ? {
          ...common,
          document_sid: object.sid,
          document_unique_name: object.uniqueName,
          document_revision: String(event.item.revision),
          document_data: event.item.data,
        }
      : {
          ...common,
          [`${object.kind}_sid`]: object.sid,
          [`${object.kind}_unique_name`]: object.uniqueName,
          [`${object.kind}_revision`]: String(event.objectRevision),
          [object.kind === 'list' ? 'item_index' : 'item_key']: event.item.key,
          item_revision: String(event.item.revision),
          item_data: event.item.data,
        };
  return {
    event_type: eventType(object.kind, event),
    event_protocol_version: EVENT_PROTOCOL_VERSION,
    event: body,
  };
}
