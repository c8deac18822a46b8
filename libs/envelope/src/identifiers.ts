import { createHash } from 'node:crypto';

/** Name space of our correlation ids (RFC 9562, version 5). Never change it: ids would no longer match. */
const CORRELATION_NAMESPACE = '6f9f3c0e-6d1b-5f8e-9a54-2b7f8c1d4e60';

/**
 * The id of an envelope: `{source}:{native message id}`, and for an edit or deletion a revision behind it.
 *
 * The same happening on the platform has the same id whoever reads it, however often.
 */
export function envelopeId(source: string, nativeId: string, revision?: string): string {
  return revision === undefined ? `${source}:${nativeId}` : `${source}:${nativeId}:${revision}`;
}

/** A UUID (version 5) that depends on the envelope's id alone. */
export function correlationIdOf(id: string): string {
  return uuidV5(id, CORRELATION_NAMESPACE);
}

/** RFC 9562 section 5.5. */
export function uuidV5(name: string, namespace: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
