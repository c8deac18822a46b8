import { z } from 'zod';

/**
 * Calls the sandbox's control interface: GET, or POST where there is a body.
 * @throws Error that says what to do where the sandbox cannot be reached or refuses
 */
export async function callSandbox(url: string, body?: object, signal?: AbortSignal): Promise<unknown> {
  const init = {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers: { 'content-type': 'application/json' } });
  } catch {
    throw new Error(`no sandbox answers at ${new URL(url).origin}: start it with npm start, or give --url`);
  }
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const { message } = z.object({ message: z.string() }).catch({ message: 'no reason given' }).parse(answer);
  throw new Error(`the sandbox answered ${response.status}: ${message}`);
}
