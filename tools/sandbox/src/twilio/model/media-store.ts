import { createHmac, timingSafeEqual } from 'node:crypto';
import { type JsonObject } from '../../json.js';
import { createSid } from './identifiers.js';
import { type MediaReference } from './records.js';

/** A stored file. */
export interface StoredMedia {
  readonly reference: MediaReference;
  readonly bytes: Buffer;
  /** Identity or address of whoever sent it. */
  readonly author: string;
  readonly dateCreated: string;
}

/** What the media store needs to know. */
export interface MediaSettings {
  readonly serviceSid: string;
  /** Signs temporary URLs. */
  readonly secret: string;
  readonly urlTtlMs: number;
  origin(): string;
  now(): number;
}

/** Files of messages, in memory, and the temporary URLs that lead to them. */
export class MediaStore {
  readonly #media = new Map<string, StoredMedia>();

  constructor(private readonly settings: MediaSettings) {}

  /** Stores a file. */
  add(bytes: Buffer, contentType: string, filename: string | null, author: string): MediaReference {
    const reference = { sid: createSid('ME'), contentType, filename, size: bytes.length };
    const dateCreated = new Date(this.settings.now()).toISOString();
    this.#media.set(reference.sid, { reference, bytes, author, dateCreated });
    return reference;
  }

  /** Finds a file by SID. */
  find(sid: string): StoredMedia | undefined {
    return this.#media.get(sid);
  }

  /** The record of a file, with a fresh temporary URL. */
  toRecord({ reference, author, dateCreated }: StoredMedia): JsonObject {
    const { sid, size, contentType, filename } = reference;
    const url = `${this.settings.origin()}/v1/Services/${this.settings.serviceSid}/Media/${sid}`;
    return {
      sid,
      service_sid: this.settings.serviceSid,
      size,
      content_type: contentType,
      filename,
      category: 'media',
      author,
      date_created: dateCreated,
      date_updated: dateCreated,
      url,
      links: { content: `${url}/Content`, content_direct_temporary: this.temporaryUrl(sid) },
    };
  }

  /** A URL that serves the bytes to anybody for a while. */
  temporaryUrl(sid: string): string {
    const expires = this.settings.now() + this.settings.urlTtlMs;
    return `${this.settings.origin()}/content/${sid}?Expires=${expires}&Signature=${this.#sign(sid, expires)}`;
  }

  /** Whether a temporary URL is genuine and still valid. */
  mayRead(sid: string, expires: number, signature: string): boolean {
    const expected = Buffer.from(this.#sign(sid, expires));
    const given = Buffer.from(signature);
    return (
      expires > this.settings.now() && given.length === expected.length && timingSafeEqual(given, expected)
    );
  }

  #sign(sid: string, expires: number): string {
    return createHmac('sha256', this.settings.secret).update(`${sid}:${expires}`).digest('hex');
  }
}
