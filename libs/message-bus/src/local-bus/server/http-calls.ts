import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type Logger, messageOf } from '@bitbrat/foundation';
import { StatusError, type StatusName } from '../engine/status-error.js';
import { type Method } from '../api/methods.js';
import { fromJson, toJson } from '../api/json-mapping.js';
import { type HttpRule, type ProtoMethod } from '../api/proto.js';

/** A message of 10 MB in base64, with its attributes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** How Google's APIs answer a status by HTTP (google.rpc.Code, "HTTP Mapping"). */
const HTTP_STATUS: Readonly<Record<StatusName, number>> = {
  INVALID_ARGUMENT: 400,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  FAILED_PRECONDITION: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

/** This machine's own names. Another one may belong to a web page that was made to point here (DNS rebinding). */
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

interface Route {
  readonly method: ProtoMethod;
  readonly verb: HttpRule['verb'];
  readonly pattern: RegExp;
  /** Where the name in the path belongs: `['topic', 'name']`. */
  readonly field: readonly string[];
}

/** Serves Pub/Sub's REST API, whose paths stand in its proto file. */
export function createHttpListener(
  protoMethods: readonly ProtoMethod[],
  methods: Readonly<Record<string, Method>>,
  logger: Logger,
): RequestListener {
  const routes = protoMethods.flatMap((method) => toRoute(method));
  return (request, response) => {
    answer(request, response, routes, methods).then(
      (body) => {
        send(response, 200, body);
      },
      (error: unknown) => {
        const status: StatusName = error instanceof StatusError ? error.status : 'INTERNAL';
        if (status === 'INTERNAL') logger.error('local-bus.fault', { reason: messageOf(error) });
        const code = HTTP_STATUS[status];
        send(response, code, { error: { code, message: messageOf(error), status } });
      },
    );
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
  methods: Readonly<Record<string, Method>>,
): Promise<object> {
  if (!LOCAL_HOST.test(request.headers.host ?? '') || request.headers.origin !== undefined) {
    throw new StatusError(
      'PERMISSION_DENIED',
      'the local bus serves programs of this machine, and no web page',
    );
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = decode(url.pathname);
  const matched = routes
    .map((route) => ({
      route,
      name: route.verb === request.method ? route.pattern.exec(path)?.[1] : undefined,
    }))
    .find(({ name }) => name !== undefined);
  if (matched?.name === undefined) {
    throw new StatusError('NOT_FOUND', `there is no ${request.method ?? ''} ${path}`);
  }
  const { field, method } = matched.route;
  const call = methods[method.name];
  if (call === undefined) throw new StatusError('UNIMPLEMENTED', `the local bus has no ${method.name}`);
  const body = request.method === 'GET' ? Object.fromEntries(url.searchParams) : await readJson(request);
  const asked = { ...fromJson(method.request, wrap(body, field, method)) };
  setField(asked, field, matched.name);
  const gone = new AbortController();
  response.on('close', () => {
    gone.abort();
  });
  const result = await call(asked as never, gone.signal); // read by the method's own type
  return toJson(method.response, result);
}

/** Clients may send the resource alone where the body is `*` of an update, or the request with the resource in it. */
function wrap(body: unknown, [top, below]: readonly string[], { request }: ProtoMethod): unknown {
  if (below === undefined || top === undefined || typeof body !== 'object' || body === null) return body;
  return top in body || request.fields[top] === undefined ? body : { [top]: body };
}

function setField(
  target: Record<string, unknown>,
  [top = '', below]: readonly string[],
  value: string,
): void {
  target[top] = below === undefined ? value : { ...(target[top] as object | undefined), [below]: value }; // a message
}

/** `/v1/{topic=projects/*}:publish` as a pattern; `*` is one segment. */
function toRoute(method: ProtoMethod): Route[] {
  const parts = /^([^{]*)\{([\w.]+)=([^}]+)\}(.*)$/.exec(method.http?.template ?? '');
  if (method.http === undefined || parts === null) return [];
  const [, before = '', field = '', name = '', after = ''] = parts;
  const pattern = new RegExp(`^${before}(${name.replaceAll('*', '[^/:]+')})${after}$`);
  return [{ method, verb: method.http.verb, pattern, field: field.split('.').map(toCamelCase) }];
}

const toCamelCase = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new StatusError('INVALID_ARGUMENT', 'the path is malformed');
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new StatusError('INVALID_ARGUMENT', 'the body is larger than 16 MiB');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StatusError('INVALID_ARGUMENT', 'the body is no JSON');
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.writableEnded || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
