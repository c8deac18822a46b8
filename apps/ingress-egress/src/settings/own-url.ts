/** Where a process on the same machine reaches the service. Pure. @param host `HOST` of the service, or nothing */
export function ownUrl(host: string | undefined, port: number | string): string {
  const address =
    host === undefined || ['', '0.0.0.0', '::'].includes(host.trim()) ? '127.0.0.1' : host.trim();
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
