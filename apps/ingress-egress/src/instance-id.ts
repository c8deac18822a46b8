import { randomBytes } from 'node:crypto';

/** Cloud Run's metadata server (cloud.google.com/run/docs/container-contract#metadata-server). */
export const METADATA_INSTANCE_ID_URL = 'http://metadata.google.internal/computeMetadata/v1/instance/id';

const METADATA_TIMEOUT_MS = 2_000;

export interface InstanceIdSources {
  /** `EGRESS_INSTANCE_ID`. */
  readonly configured: string | undefined;
  /** Set on Cloud Run, where the metadata server knows the instance. */
  readonly metadataUrl: string | undefined;
  readonly hostName: string;
}

/**
 * Who this process is: what is configured, else Cloud Run's instance id, else host name and a random part.
 *
 * Unique per process: two instances with one id would share one egress subscription.
 */
export async function resolveInstanceId(sources: InstanceIdSources): Promise<string> {
  if (sources.configured !== undefined) return sources.configured;
  if (sources.metadataUrl !== undefined) {
    const id = await readMetadata(sources.metadataUrl);
    if (id !== undefined) return id;
  }
  const host = sources.hostName.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 64);
  return `${host}-${randomBytes(4).toString('hex')}`;
}

async function readMetadata(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      headers: { 'Metadata-Flavor': 'Google' },
      signal: AbortSignal.timeout(METADATA_TIMEOUT_MS),
    });
    const id = (await response.text()).trim();
    // Pub/Sub takes 255 characters a topic name; the end of the id is what tells instances apart.
    return response.ok && /^[A-Za-z0-9._-]+$/.test(id) ? id.slice(-100) : undefined;
  } catch {
    return undefined;
  }
}
