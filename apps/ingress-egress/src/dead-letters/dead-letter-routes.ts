import { type FastifyInstance, type FastifyReply } from 'fastify';
import { type DeadLetterDesk, DeskUnavailableError } from './dead-letter-desk.js';
import { replaySelectionSchema } from './letter-api.js';

/** The desk's commands on HTTP. The server hands over bodies as bytes, and lets in whom it trusts. */
export function addDeadLetterRoutes(server: FastifyInstance, desk: DeadLetterDesk): void {
  const answer = async (
    reply: FastifyReply,
    work: () => Promise<{ status: number; body: object }>,
  ): Promise<FastifyReply> => {
    try {
      const { body, status } = await work();
      return await reply.code(status).header('cache-control', 'no-store').send(body);
    } catch (error) {
      if (!(error instanceof DeskUnavailableError)) throw error;
      return reply.code(503).header('retry-after', '5').send({ error: error.message });
    }
  };

  server.get('/_debug/dead-letters', (_request, reply) =>
    answer(reply, async () => ({ status: 200, body: await desk.list() })),
  );

  server.get<{ Params: { id: string }; Querystring: { full?: string } }>(
    '/_debug/dead-letters/:id',
    (request, reply) =>
      answer(reply, async () => {
        const detail = await desk.show(request.params.id, request.query.full === 'true');
        return detail === undefined
          ? { status: 404, body: { code: 'NOT_WAITING', error: 'no letter with this id waits' } }
          : { status: 200, body: detail };
      }),
  );

  server.post('/_debug/dead-letters/replay', (request, reply) =>
    answer(reply, async () => {
      // A web page cannot send this type to another origin unasked, so none can replay behind its reader's back.
      if (request.headers['content-type']?.split(';')[0]?.trim() !== 'application/json') {
        return { status: 415, body: { error: 'expected content-type: application/json' } };
      }
      const selection = replaySelectionSchema.safeParse(parseJson(request.body));
      return selection.success
        ? { status: 200, body: await desk.replay(selection.data) }
        : { status: 400, body: { error: selection.error.issues[0]?.message ?? 'invalid' } };
    }),
  );
}

function parseJson(body: unknown): unknown {
  try {
    return Buffer.isBuffer(body) ? JSON.parse(body.toString()) : undefined;
  } catch {
    return undefined;
  }
}
