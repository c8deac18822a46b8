import { STATUS_CODES } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import { resetConnection } from './reset-connection.js';

/** What a struck request gets instead of its answer. Only `status` has an HTTP status. */
export type WireAnswer =
  | { readonly kind: 'status'; readonly status: number; readonly body: WireBody }
  | { readonly kind: 'cut' | 'garbage' | 'hang' };

/** The body of a refusal: the platform's JSON without a code, the page of a proxy, or nothing. */
export type WireBody = 'json' | 'html' | 'empty';

/** One rule: the next `count` requests of a name get the answer. */
export interface WireRule {
  /** As in the log. */
  readonly name: string;
  readonly answer: WireAnswer;
  /** Default 1. */
  readonly count?: number;
}

/** An open WebSocket of a platform. */
export interface WirePeer {
  send(bytes: Buffer): void;
  reset(): void;
}

/** Bytes that are no HTTP, no WebSocket frame, no UTF-8 and no JSON. */
export const GARBAGE = Buffer.from([
  0xff, 0x00, 0xc3, 0x28, 0x16, 0x03, 0xfe, 0x0d, 0x0a, 0x7b, 0x22, 0x0d, 0x0a,
]);

/**
 * Every request and handshake of every platform, by name, and rules that answer any of them. It stands in front of the
 * platforms, so a new route of a platform is in the log without anyone's doing.
 *
 * Names: `GET /v1/Conversations/:conversation` (method and route), `UPGRADE /v3/wsconnect` (WebSocket handshake); what
 * platforms carry inside their sockets and let pass here has names of their own (`twilsock init`, `tunnel sendMessage`).
 */
export class Wire {
  readonly #log: string[] = [];
  readonly #rules: (WireRule & { left: number })[] = [];
  readonly #held = new Set<Duplex>();
  #strikes = 0;

  /** Names in the order of the requests since the last `clear`. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** How many requests rules have answered. */
  get strikes(): number {
    return this.#strikes;
  }

  clear(): void {
    this.#log.length = 0;
  }

  arm(rule: WireRule): void {
    this.#rules.push({ ...rule, left: rule.count ?? 1 });
  }

  /** Disarms all rules, and ends what they hold. */
  heal(): void {
    this.#rules.length = 0;
    for (const socket of this.#held) socket.destroy();
    this.#held.clear();
  }

  /** Logs a request. @returns what it gets instead of its answer, where a rule strikes */
  pass(name: string): WireAnswer | undefined {
    this.#log.push(name);
    const rule = this.#rules.find((each) => each.name === name && each.left > 0);
    if (rule === undefined) return undefined;
    rule.left -= 1;
    this.#strikes += 1;
    return rule.answer;
  }

  /** Lets every HTTP request of the server pass here. To be called before routes are added. */
  guard(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      const answer = this.pass(`${request.method} ${request.routeOptions.url ?? '*'}`);
      if (answer === undefined) return undefined;
      if (answer.kind === 'status') {
        const [type, body] = bodyOf(answer.status, answer.body);
        return reply.code(answer.status).header('content-type', type).send(body);
      }
      reply.hijack();
      this.strike(request.raw.socket, answer);
      return reply;
    });
  }

  /**
   * Logs a message inside an open socket. @returns true where a rule has answered it instead of the platform: by a cut, by
   * garbage or by nothing. A protocol without HTTP statuses is cut in their place.
   */
  strikesInside(name: string, peer: WirePeer): boolean {
    const answer = this.pass(name);
    if (answer === undefined) return false;
    if (answer.kind === 'garbage') peer.send(GARBAGE);
    else if (answer.kind !== 'hang') peer.reset();
    return true;
  }

  /** Gives a socket the answer, before a WebSocket is open on it. */
  strike(socket: Duplex, answer: WireAnswer): void {
    socket.on('error', () => undefined);
    switch (answer.kind) {
      case 'status': {
        const [type, body] = bodyOf(answer.status, answer.body);
        const { length } = Buffer.from(body);
        const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Refused'}`;
        socket.end(
          `${head}\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`,
        );
        return;
      }
      case 'garbage':
        socket.end(GARBAGE);
        return;
      case 'cut':
        resetConnection(socket);
        return;
      case 'hang':
        this.#held.add(socket);
        socket.on('close', () => this.#held.delete(socket));
        return;
      default:
        answer satisfies never;
    }
  }
}

function bodyOf(status: number, body: WireBody): readonly [type: string, body: string] {
  const words = STATUS_CODES[status] ?? 'Refused';
  switch (body) {
    case 'json':
      return ['application/json', JSON.stringify({ message: words, code: 0, status })];
    case 'html':
      return ['text/html', `<html><body><h1>${status} ${words}</h1></body></html>`];
    case 'empty':
      return ['text/plain', ''];
    default:
      return body satisfies never;
  }
}
