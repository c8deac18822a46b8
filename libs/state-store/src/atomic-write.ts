import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces the file's content. At whatever moment the process or the machine dies, the file holds the whole of the old
 * content or the whole of the new; when the call resolves, the new. For one writer at a time.
 * @throws the file system's error
 */
export async function writeFileAtomically(path: string, content: string): Promise<void> {
  // In the same folder: a rename is atomic within one file system only.
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    // Before the rename: else the new name may reach the disk ahead of the content.
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
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
