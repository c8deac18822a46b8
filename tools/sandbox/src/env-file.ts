/**
 * Sets the variables of the file `.env`, in the folder in which the process was started, that the environment does not have.
 * A file that is missing is no fault. @throws Error that names a file that cannot be read
 */
export function loadEnvFile(): void {
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code !== 'ENOENT') throw new Error(`.env cannot be read: ${code}`, { cause: error });
  }
}
