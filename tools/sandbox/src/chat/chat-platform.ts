/** A message as people see it. */
export interface ChatMessage {
  /** Where to read on from. */
  readonly cursor: string;
  /** Name, login or phone number of who wrote it. */
  readonly author: string;
  readonly text: string;
}

/** Where a message was written. */
export interface Written {
  /** The conversation or channel. */
  readonly room: string;
  readonly cursor: string;
}

/** A platform of the sandbox, for people who write and read. Everything rejects with an error for a person to read. */
export interface ChatPlatform {
  readonly name: string;
  /** Who writes unless a name is given. */
  readonly defaultPerson: string;
  /** Cursor before the first message of a room. */
  readonly start: string;
  /** Each person writes in a conversation of their own, as on the phone. */
  readonly hasRoomPerPerson: boolean;
  /** How a person appears as an author. */
  authorOf(person: string): string;
  /** Where the person writes; undefined while there is no such place. */
  roomOf(person: string): Promise<string | undefined>;
  write(person: string, text: string): Promise<Written>;
  /** Messages after the cursor, oldest first. Waits for the first one, up to `waitMs`. */
  read(room: string, after: string, waitMs: number, signal?: AbortSignal): Promise<readonly ChatMessage[]>;
}
