import { decodeEgress, decodeIngress, decodeOutcome, type Topics } from '@bitbrat/envelope';
import { type BusWatcher } from './watched-bus.js';

/**
 * Shows each message as it passes: what came in with its envelope, the bot's answer, and what became of it.
 * @param isUnread whether nobody is subscribed to the messages of people, so that they wait
 */
export function createNarrator(
  topics: Topics,
  egressTopic: string,
  isUnread: () => boolean,
  print: (line: string) => void,
): BusWatcher {
  return {
    published: (topic, data) => {
      if (topic === topics.ingress) {
        showIngress(data, print);
        if (isUnread())
          print(`waits     no bot is subscribed to ${topic}: start one, and it gets this message`);
      }
      if (topic === topics.outcome) showOutcome(data, print);
    },
    received: (topic, data) => {
      if (topic === egressTopic) showAnswer(data, print);
    },
  };
}

function showIngress(data: Uint8Array, print: (line: string) => void): void {
  const decoded = decodeIngress(data);
  if (!decoded.ok) return;
  const { from, source, text } = decoded.value;
  print(`in        ${source}  ${from}: ${text}`);
  print(`envelope  ${JSON.stringify(decoded.value, null, 2).replaceAll('\n', '\n          ')}`);
}

function showAnswer(data: Uint8Array, print: (line: string) => void): void {
  const decoded = decodeEgress(data);
  if (!decoded.ok) return;
  const { target, text } = decoded.value;
  print(`answer    ${target.connector}  ${target.destination}: ${text}`);
}

function showOutcome(data: Uint8Array, print: (line: string) => void): void {
  const decoded = decodeOutcome(data);
  if (!decoded.ok) return;
  const { error, eventId, platformMessageIds, status, target } = decoded.value;
  const facts = error === undefined ? platformMessageIds.join(', ') : `${error.code}: ${error.message}`;
  print(`out       ${target.connector}  ${target.destination}  ${status}  ${eventId}  ${facts}`);
}
