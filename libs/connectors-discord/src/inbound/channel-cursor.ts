import { newerSnowflake } from '../platform/snowflake.js';

/** A message on its way to the bus. */
export interface Passage {
  readonly id: string;
  arrived: boolean;
}

/**
 * How far a channel has been read: the last id up to which every message has arrived on the bus. Pure.
 *
 * Messages are published side by side and may arrive in any order; the position moves only over an unbroken row of arrivals.
 */
export class ChannelCursor {
  #position: string | undefined;
  #underWay: Passage[] = [];

  /** The last id of the unbroken row; undefined where nothing is known. */
  get position(): string | undefined {
    return this.#position;
  }

  /** Says that a message sets out. Call it in the channel's order. */
  depart(id: string): Passage {
    const passage = { id, arrived: false };
    this.#underWay.push(passage);
    return passage;
  }

  /** Says that a message has arrived. @returns the new position, undefined where it did not move */
  arrive(passage: Passage): string | undefined {
    passage.arrived = true;
    let moved = 0;
    for (const next of this.#underWay) {
      if (!next.arrived) break;
      this.#position = newerSnowflake(this.#position, next.id);
      moved += 1;
    }
    this.#underWay.splice(0, moved);
    return moved === 0 ? undefined : this.#position;
  }

  /** A message did not arrive: what is under way counts no more, the channel has to be read again from the position. */
  interrupt(): void {
    this.#underWay = [];
  }

  /** Goes on from here; never back. */
  moveTo(id: string | undefined): void {
    this.#position = newerSnowflake(this.#position, id);
  }
}
