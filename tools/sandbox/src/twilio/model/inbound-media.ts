import { basename } from 'node:path';
import { type z } from 'zod';
import { reasonOf } from '../../reason.js';
import { ApiError } from '../api-error.js';
import { type inboundMessageSchema } from '../control/control-schema.js';

/** A file that came with an inbound message. */
export interface InboundFile {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly filename: string | null;
}

/** Largest file of an MMS, in bytes: Twilio's limit for a whole MMS, 5 MB. */
const MAX_FILE_BYTES = 5_000_000;
const FETCH_TIMEOUT_MS = 5_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Reads the file of an inbound message. Throws 400 for a URL that is not on this machine or cannot be read. */
export async function readInboundFile(
  { media, mediaUrl }: Pick<z.output<typeof inboundMessageSchema>, 'media' | 'mediaUrl'>,
  signal: AbortSignal,
): Promise<InboundFile | undefined> {
  const name = mediaUrl === undefined ? '' : basename(new URL(mediaUrl).pathname);
  const filename = name === '' ? null : name;
  if (media !== undefined) {
    const bytes = Buffer.from(media.base64, 'base64');
    return { bytes, contentType: media.contentType, filename: media.filename ?? filename };
  }
  if (mediaUrl === undefined) return undefined;
  const url = new URL(mediaUrl);
  if (!/^https?:$/.test(url.protocol) || !LOOPBACK.test(url.hostname)) {
    throw new ApiError(
      400,
      20001,
      'mediaUrl: the sandbox fetches from this machine only (http://127.0.0.1:PORT/...). Send the file itself as media {contentType, base64}.',
    );
  }
  try {
    const response = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
    return { bytes, contentType, filename };
  } catch (error) {
    throw new ApiError(400, 20001, `mediaUrl: the file could not be fetched: ${reasonOf(error)}.`);
  }
}
