/** Thrown where a text has no place for what is generated. */
export class MissingMarkerError extends Error {
  override readonly name = 'MissingMarkerError';

  constructor(readonly marker: string) {
    super(`the markers <!-- generated:${marker} --> and <!-- /generated:${marker} --> are missing`);
  }
}

/**
 * The text with what stands between its markers `<!-- generated:{name} -->` and `<!-- /generated:{name} -->` replaced.
 * @throws MissingMarkerError
 */
export function replaceBlock(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`];
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  if (start === -1 || end === -1) throw new MissingMarkerError(name);
  return `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`;
}
