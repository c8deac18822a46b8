import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseJson } from '../../json.js';
import { ApiError, invalidParameter } from '../api-error.js';
import { checkBasicAuth, replyWithError, throughGate } from './fastify-gate.js';
import { type MediaStore, type StoredMedia } from '../model/media-store.js';
import { type Answer, type RequestGate } from './request-gate.js';
import { type TokenCheck } from '../wire/tokens.js';

/** What the media interface works on. */
export interface MediaContext {
  readonly media: MediaStore;
  readonly gate: RequestGate;
  readonly serviceSid: string;
  readonly accounts: readonly (readonly [user: string, password: string])[];
  checkToken(token: string): TokenCheck;
}

/** Largest upload, in bytes: "Conversations limits", 150 MB for chat media. */
const MAX_UPLOAD_BYTES = 150 * 1024 * 1024;

const setSchema = z.object({
  command: z.literal('get'),
  list: z.array(z.object({ media_sid: z.string() })),
});

/** Adds the media interface (MCS): uploads, records, sets, and the bytes behind temporary URLs. */
export async function registerMediaApi(app: FastifyInstance, context: MediaContext): Promise<void> {
  await app.register((scope, _options, done) => {
    registerRoutes(scope, context);
    done();
  });
}

function registerRoutes(scope: FastifyInstance, context: MediaContext): void {
  const { media, gate } = context;
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: MAX_UPLOAD_BYTES },
    (_request, body, done) => {
      done(null, body);
    },
  );
  scope.setErrorHandler(replyWithError);
  const base = `/v1/Services/${context.serviceSid}`;

  scope.post(
    `${base}/Media`,
    throughGate(gate, 'media', 'uploadMedia', (request) => {
      const author = authorize(context, request);
      const bytes = bodyOf(request);
      if (bytes.length === 0) throw invalidParameter('The upload has no bytes.');
      const { Filename: filename = null } = request.query as { Filename?: string }; // Fastify gives strings
      const contentType = request.headers['content-type'] ?? 'application/octet-stream';
      const reference = media.add(bytes, contentType, filename, author);
      return { status: 201, body: media.toRecord(requireMedia(media, reference.sid)) };
    }),
  );
  scope.get(
    `${base}/Media/:sid`,
    throughGate(gate, 'media', 'getMedia', (request): Answer => {
      authorize(context, request);
      const { sid } = request.params as { sid: string }; // named in the route
      return { status: 200, body: media.toRecord(requireMedia(media, sid)) };
    }),
  );
  scope.post(
    `${base}/MediaSet`,
    throughGate(gate, 'media', 'getMediaSet', (request): Answer => {
      authorize(context, request);
      const parsed = setSchema.safeParse(parseJson(bodyOf(request).toString('utf8')));
      if (!parsed.success) throw invalidParameter('Expected {"command":"get","list":[{"media_sid":"ME…"}]}.');
      const body = parsed.data.list.map(({ media_sid: sid }) => {
        const stored = media.find(sid);
        return stored === undefined
          ? { code: 404, media_sid: sid, error: 'Media not found' }
          : { code: 200, media_record: media.toRecord(stored) };
      });
      return { status: 200, body };
    }),
  );
  scope.get(
    '/content/:sid',
    throughGate(gate, 'media', 'getContent', (request): Answer => {
      const { sid } = request.params as { sid: string }; // named in the route
      const query = request.query as { Expires?: string; Signature?: string }; // Fastify gives strings
      if (!media.mayRead(sid, Number(query.Expires), query.Signature ?? '')) {
        throw new ApiError(403, 20403, 'The URL has expired or its signature is wrong');
      }
      const { bytes, reference } = requireMedia(media, sid);
      return { status: 200, body: bytes, headers: { 'content-type': reference.contentType } };
    }),
  );
}

function requireMedia(media: MediaStore, sid: string): StoredMedia {
  const stored = media.find(sid);
  if (stored === undefined) throw new ApiError(404, 20404, `Media ${sid} was not found`);
  return stored;
}

/** The identity behind a request: by access token, or by the account's own credentials. */
function authorize(context: MediaContext, request: FastifyRequest): string {
  const token = request.headers['x-twilio-token'];
  if (typeof token !== 'string') {
    checkBasicAuth(request.headers.authorization, context.accounts);
    return 'system';
  }
  const check = context.checkToken(token);
  if (!check.ok) throw new ApiError(401, check.code, check.description);
  return check.claims.identity;
}

function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}
