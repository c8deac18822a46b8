import { setTimeout as delay } from 'node:timers/promises';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type FaultRules } from '../../fault-rules.js';
import { type ArmedFault, type ArmedFaultOf } from '../fault-schema.js';
import { type AccessGrant, type TokenStore } from '../model/tokens.js';
import { type TwitchSandboxOptions } from '../twitch-options.js';
import { type UserDirectory } from '../model/users.js';

/** What the endpoints for tokens and users need. */
export interface OAuthDependencies {
  readonly options: TwitchSandboxOptions;
  readonly tokens: TokenStore;
  readonly users: UserDirectory;
  readonly faults: FaultRules<ArmedFault>;
  /** Aborted when the sandbox is closed. */
  readonly signal: AbortSignal;
}

type Endpoint = NonNullable<ArmedFaultOf<'request'>['endpoint']>;

interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** Adds `id.twitch.tv`'s token endpoints under `/twitch/oauth2`, and Helix' users under `/twitch/helix`. */
export function registerOAuthRoutes(app: FastifyInstance, deps: OAuthDependencies): void {
  const serve = (endpoint: Endpoint, answer: (request: FastifyRequest) => Answer) => {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const fault = deps.faults.strike(
        'request',
        ({ endpoint: wanted }) => wanted === undefined || wanted === endpoint,
      );
      if (fault?.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: deps.signal });
      const { status, body } =
        fault?.status === undefined
          ? answer(request)
          : refusal(fault.status, 'Caused by a fault of the sandbox');
      if (fault?.loseAnswer === true) {
        reply.hijack();
        request.raw.socket.destroy();
        return reply;
      }
      if (fault?.body !== undefined) {
        return reply
          .code(fault.status ?? 200)
          .type('application/json')
          .send(fault.body);
      }
      return reply.code(status).send(body);
    };
  };
  app.post(
    '/twitch/oauth2/token',
    serve('token', (request) => token(parametersOf(request), deps)),
  );
  app.post(
    '/twitch/oauth2/revoke',
    serve('revoke', (request) => revoke(parametersOf(request), deps)),
  );
  app.get(
    '/twitch/oauth2/validate',
    serve('validate', (request) => validate(request, deps)),
  );
  app.get(
    '/twitch/helix/users',
    serve('users', (request) => users(request, deps)),
  );
}

function token(parameters: URLSearchParams, { options, tokens }: OAuthDependencies): Answer {
  if (parameters.get('client_id') !== options.clientId) return refusal(400, 'invalid client');
  if (parameters.get('client_secret') !== options.clientSecret) return refusal(403, 'invalid client secret');
  if (parameters.get('grant_type') !== 'refresh_token') return refusal(400, 'Invalid grant type');
  const refreshToken = parameters.get('refresh_token');
  if (refreshToken === null) return refusal(400, 'missing refresh token');
  const pair = tokens.refresh(refreshToken, options.tokenLifeMs, options.singleUseRefreshTokens);
  if (pair === undefined) return refusal(400, 'Invalid refresh token');
  return {
    status: 200,
    body: {
      access_token: pair.accessToken,
      refresh_token: pair.refreshToken,
      expires_in: Math.floor(options.tokenLifeMs / 1_000),
      scope: pair.scopes,
      token_type: 'bearer',
    },
  };
}

function revoke(parameters: URLSearchParams, { options, tokens }: OAuthDependencies): Answer {
  if (parameters.get('client_id') !== options.clientId) return refusal(400, 'invalid client');
  return tokens.revoke(parameters.get('token') ?? '') ? { status: 200 } : refusal(400, 'Invalid token');
}

function validate(request: FastifyRequest, deps: OAuthDependencies): Answer {
  const grant = grantOf(request, deps.tokens);
  if (grant === undefined) return refusal(401, 'invalid access token');
  return {
    status: 200,
    body: {
      client_id: deps.options.clientId,
      login: grant.user.login,
      user_id: grant.user.id,
      scopes: grant.scopes,
      expires_in: Math.floor((grant.expiresAt - deps.options.now()) / 1_000),
    },
  };
}

function users(request: FastifyRequest, deps: OAuthDependencies): Answer {
  const grant = grantOf(request, deps.tokens);
  const unauthorized = { error: 'Unauthorized' };
  if (grant === undefined) return refusal(401, 'Invalid OAuth token', unauthorized);
  if (request.headers['client-id'] !== deps.options.clientId) {
    return refusal(401, 'Client ID and OAuth token do not match', unauthorized);
  }
  const query = queryOf(request);
  const wanted = [
    ...query.getAll('login').map((login) => deps.users.find(login)),
    ...query.getAll('id').map((id) => deps.users.findById(id)),
  ];
  const found = query.has('login') || query.has('id') ? wanted : [grant.user];
  const data = found
    .filter((user) => user !== undefined)
    .map(({ id, login, displayName }) => ({
      id,
      login,
      display_name: displayName,
      type: '',
      broadcaster_type: '',
      description: '',
      profile_image_url: '',
      offline_image_url: '',
      created_at: '2020-01-01T00:00:00Z',
    }));
  return { status: 200, body: { data } };
}

function grantOf(request: FastifyRequest, tokens: TokenStore): AccessGrant | undefined {
  const [, accessToken] = /^(?:OAuth|Bearer) (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return accessToken === undefined ? undefined : tokens.check(accessToken);
}

/** Twitch takes them in a form or in the query. */
function parametersOf(request: FastifyRequest): URLSearchParams {
  return request.body instanceof URLSearchParams ? request.body : queryOf(request);
}

function queryOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.url, 'http://sandbox').searchParams;
}

function refusal(status: number, message: string, more: object = {}): Answer {
  return { status, body: { ...more, status, message } };
}
