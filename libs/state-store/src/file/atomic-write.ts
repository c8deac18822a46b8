import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces the file's content. At whatever moment the process or the machine dies, the file holds the whole of the old
 * content or the whole of the new; when the call resolves, the new. For one writer at a time.
 * @throws the file system's error
 */
export async function writeFileAtomically(path: string, content: string): Promise<void> {
  // In the same folder: a rename is atomic within one file system only.
  const temporary = `${path}.tmp`;
  await writeDurably(temporary, content);
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/**
 * Passes when as much as `content` can be written beside `path`; leaves nothing behind.
 * @throws the file system's error
 */
export async function assertWritable(path: string, content: string): Promise<void> {
  const probe = `${path}.probe`;
  try {
    await writeDurably(probe, content);
  } finally {
    await rm(probe, { force: true });
  }
}

/** A pipe that nobody reads refuses to be opened and does not block a thread for ever. */
const WRITE_FLAGS =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_TRUNC |
  ((constants.O_NONBLOCK as number | undefined) ?? 0); // not on Windows

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, WRITE_FLAGS, 0o600);
  try {
    await file.writeFile(content);
    // Before a rename: else the new name may reach the disk ahead of the content.
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and its file systems order renames by themselves.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
