import { type FastifyReply } from 'fastify';

/** REST requests that a fault leaves without an answer. */
export class HeldReplies {
  readonly #replies = new Set<FastifyReply>();

  /** How many there are. */
  get size(): number {
    return this.#replies.size;
  }

  /** Holds a request until its client goes, or until all are dropped. */
  hold(reply: FastifyReply): void {
    this.#replies.add(reply);
    reply.raw.on('close', () => this.#replies.delete(reply));
  }

  /** Ends their connections. */
  drop(): void {
    for (const reply of this.#replies) reply.raw.destroy();
  }
}
