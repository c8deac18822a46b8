import { Client, type ClientOptions } from '@twilio/conversations';
import twilio from 'twilio';
import WebSocket from 'ws';
import { type Sandbox } from '../../sandbox-server.js';

// The SDK takes a global WebSocket where there is one; Node 22's never reconnects after a refused attempt.
if ('WebSocket' in globalThis) Object.assign(globalThis, { WebSocket });

const { AccessToken } = twilio.jwt;

/** Mints an access token as a service does. `ttl` in seconds. */
export function mintToken(
  sandbox: Sandbox,
  {
    identity,
    secret,
    service,
    ttl = 3_600,
  }: { identity?: string; secret?: string; service?: string; ttl?: number } = {},
): string {
  const environment = sandbox.twilio.environment();
  const read = (name: string): string => environment[name] ?? '';
  const token = new AccessToken(
    read('TWILIO_ACCOUNT_SID'),
    read('TWILIO_API_KEY'),
    secret ?? read('TWILIO_API_SECRET'),
    { identity: identity ?? read('TWILIO_IDENTITY'), ttl },
  );
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: service ?? read('TWILIO_CHAT_SERVICE_SID') }));
  return token.toJwt();
}

/** The unmodified Conversations SDK, pointed at a sandbox, with short reconnect times. */
export function connectSdk(sandbox: Sandbox, token = mintToken(sandbox)): Client {
  const uri = sandbox.twilio.environment()['TWILIO_CONVERSATIONS_WS_URL'];
  const options = {
    Twilsock: { uri },
    retryPolicy: { min: 50, max: 400, randomness: 0 },
  } as ClientOptions; // the published type lacks retryPolicy
  return new Client(token, options);
}

/** The unmodified REST client, pointed at a sandbox. */
export function connectRest(
  sandbox: Sandbox,
  credentials?: readonly [string, string],
): ReturnType<typeof twilio> {
  const environment = sandbox.twilio.environment();
  const accountSid = environment['TWILIO_ACCOUNT_SID'] ?? '';
  const [user, password] = credentials ?? [accountSid, environment['TWILIO_AUTH_TOKEN'] ?? ''];
  const rest = twilio(user, password, { accountSid });
  rest.conversations.baseUrl = sandbox.url;
  return rest;
}

/** Resolves when the client has initialized and loaded its conversations: before that, a fault makes the SDK throw. */
export async function loaded(client: Client): Promise<void> {
  await nextEvent(client, 'initialized');
  await settled(client);
}

/** Resolves when the conversations that the client knows of are loaded: ending it earlier makes the SDK throw. */
export async function settled(client: Client): Promise<void> {
  const { items } = await client.getSubscribedConversations();
  for (const conversation of items) await conversation.getParticipants();
}

/** Resolves with the first argument of the next event that `matches`. The test's own time limit ends the wait. */
export function nextEvent<T>(
  client: Client,
  event: string,
  matches: (argument: T) => boolean = () => true,
): Promise<T> {
  return new Promise((resolve) => {
    const listen = (argument: T): void => {
      if (!matches(argument)) return;
      emitter.off(event, listen);
      resolve(argument);
    };
    const emitter = client as unknown as {
      on(name: string, listener: (argument: T) => void): void;
      off(name: string, listener: (argument: T) => void): void;
    }; // the typed `on` is closed over literal event names
    emitter.on(event, listen);
  });
}
