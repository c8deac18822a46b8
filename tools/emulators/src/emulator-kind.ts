/** What tells one of Google's emulators from another. */
export interface EmulatorKind {
  /** As people call it, in messages. */
  readonly name: string;
  readonly debianPackage: string;
  /** Where the Google Cloud CLI has it: the folder under the CLI's root, and the file's name. */
  readonly jar: { readonly folder: string; readonly file: RegExp };
  /** Bound of java's heap in MiB where the caller names none. */
  readonly defaultHeapMb: number;
  /** java's arguments that run the jar. */
  readonly run: (jar: string) => readonly string[];
  /** The request that removes all that the emulator holds. */
  readonly reset: (projectId: string) => { readonly method: string; readonly path: string };
}
