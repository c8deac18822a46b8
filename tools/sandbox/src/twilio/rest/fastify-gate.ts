import { STATUS_CODES } from 'node:http';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { resetConnection } from '../../reset-connection.js';
import { ApiError } from '../api-error.js';
import { type Answer, type RequestGate, type RequestInfo } from './request-gate.js';

/** Turns a handler into a Fastify handler whose requests pass the gate. */
export function throughGate(
  gate: RequestGate,
  target: RequestInfo['target'],
  operation: string,
  handle: (request: FastifyRequest) => Answer | Promise<Answer>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const path = decodeURI(request.url.split('?', 1)[0] ?? '');
    const info = { target, operation, method: request.method, path };
    const result = await gate.pass(info, () => handle(request));
    if (result.kind === 'lost') {
      reply.hijack();
      if (result.how === 'drop') resetConnection(request.raw.socket);
      return reply;
    }
    const { status, body, headers } = result.answer;
    void reply.code(status).headers(headers ?? {});
    return reply.send(body);
  };
}

/** Checks Basic authentication against user and password pairs. Throws 401/20003. */
export function checkBasicAuth(
  header: string | undefined,
  accounts: readonly (readonly [user: string, password: string])[],
): void {
  const [scheme, encoded = ''] = (header ?? '').split(' ');
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const known = accounts.some(([user, password]) => given === `${user}:${password}`);
  if (scheme?.toLowerCase() !== 'basic' || !known) throw new ApiError(401, 20003, 'Authenticate');
}

/** Answers an error that a handler or Fastify threw, in Twilio's shape. */
export function replyWithError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  const refusal =
    error instanceof ApiError
      ? error
      : new ApiError(
          status,
          20500,
          error instanceof Error ? error.message : (STATUS_CODES[status] ?? 'Error'),
        );
  return reply.code(refusal.status).send(refusal.toBody());
}
