/** One part of a multipart body. */
export interface Part {
  /** Name of the form field. */
  readonly name: string;
  /** Undefined for a plain field. */
  readonly filename: string | undefined;
  /** Empty when the part names none. */
  readonly contentType: string;
  readonly bytes: Buffer;
}

const HEADER_END = Buffer.from('\r\n\r\n');

/** Splits a `multipart/form-data` body (RFC 7578) into its parts. Returns undefined for a body that is not one. */
export function readMultipart(contentType: string, body: Buffer): readonly Part[] | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) return undefined;
  // The first delimiter needs no line break before it; with one put there, all of them look alike.
  const text = Buffer.concat([Buffer.from('\r\n'), body]);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: Part[] = [];
  let start = text.indexOf(delimiter);
  while (start !== -1) {
    const contentStart = start + delimiter.length;
    if (text.subarray(contentStart, contentStart + 2).toString('latin1') === '--') return parts;
    const end = text.indexOf(delimiter, contentStart);
    const part = end === -1 ? undefined : readPart(text.subarray(contentStart, end));
    if (part === undefined) return undefined;
    parts.push(part);
    start = end;
  }
  return undefined;
}

function readPart(section: Buffer): Part | undefined {
  const headerEnd = section.indexOf(HEADER_END);
  if (headerEnd === -1) return undefined;
  const headers = section.subarray(0, headerEnd).toString('utf8');
  const name = parameter(headers, 'name');
  if (name === undefined) return undefined;
  return {
    name,
    filename: parameter(headers, 'filename'),
    contentType: /^content-type:\s*(.+)$/im.exec(headers)?.[1]?.trim() ?? '',
    bytes: section.subarray(headerEnd + HEADER_END.length),
  };
}

/** A parameter of `Content-Disposition`, with the escapes of the form-data encoding undone. */
function parameter(headers: string, name: string): string | undefined {
  const value = new RegExp(`^content-disposition:.*[;\\s]${name}="([^"]*)"`, 'im').exec(headers)?.[1];
  return value?.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}
