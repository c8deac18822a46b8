import { parseJson } from '../../json.js';
import { ApiError } from '../api-error.js';
import { readMultipart } from './multipart.js';

/** A file of a multipart request. */
export interface UploadedFile {
  /** The n of its part's name, `files[n]`; `attachments` in the payload refer to it. */
  readonly index: string;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** What a request that creates or edits a message carries. */
export interface MessageBody {
  /** Parsed, not yet checked. */
  readonly payload: unknown;
  readonly files: readonly UploadedFile[];
}

/**
 * Reads a message's request, JSON or multipart (`files[n]` and `payload_json`), as in Discord's "Uploading Files".
 *
 * Throws 400/50109 for a body that cannot be read, with 413/40005 when the files together are too large.
 */
export function readMessageBody(
  contentType: string | undefined,
  body: Buffer,
  maxUploadBytes: number,
): MessageBody {
  if (contentType?.startsWith('multipart/form-data') !== true) {
    return { payload: readJson(body.toString('utf8')), files: [] };
  }
  const parts = readMultipart(contentType, body);
  if (parts === undefined) throw invalidBody();
  const files: UploadedFile[] = [];
  let payload: unknown = {};
  for (const { name, filename, contentType: type, bytes } of parts) {
    const index = /^files?\[?([0-9]*)\]?$/.exec(name)?.[1];
    if (name === 'payload_json') payload = readJson(bytes.toString('utf8'));
    else if (index !== undefined && filename !== undefined) {
      files.push({ index, filename, contentType: type, bytes });
    }
  }
  if (files.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxUploadBytes) {
    throw new ApiError(413, 40005, 'Request entity too large');
  }
  return { payload, files };
}

function readJson(text: string): unknown {
  const payload = parseJson(text);
  if (payload === undefined) throw invalidBody();
  return payload;
}

function invalidBody(): ApiError {
  return new ApiError(400, 50109, 'The request body contains invalid JSON.');
}
