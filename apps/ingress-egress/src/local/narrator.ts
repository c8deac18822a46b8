import { decodeEgress, decodeIngress, decodeOutcome, type Topics } from '@bitbrat/envelope';
import { type MessageBus } from '@bitbrat/message-bus';

/** Shows each message as it passes: what came in with its envelope, the bot's answer, and what became of it. */
export async function narrate(
  bus: MessageBus,
  topics: Topics,
  egressTopic: string,
  print: (line: string) => void,
): Promise<void> {
  await bus.subscribe({ topic: topics.ingress, subscription: `${topics.ingress}.narrator` }, (message) => {
    const decoded = decodeIngress(message.data);
    if (decoded.ok) {
      const { from, source, text } = decoded.value;
      print(`in        ${source}  ${from}: ${text}`);
      print(`envelope  ${JSON.stringify(decoded.value, null, 2).replaceAll('\n', '\n          ')}`);
    }
    return Promise.resolve('ack');
  });
  await bus.subscribe({ topic: egressTopic, subscription: `${egressTopic}.narrator` }, (message) => {
    const decoded = decodeEgress(message.data);
    if (decoded.ok) {
      const { target, text } = decoded.value;
      print(`answer    ${target.connector}  ${target.destination}: ${text}`);
    }
    return Promise.resolve('ack');
  });
  await bus.subscribe({ topic: topics.outcome, subscription: `${topics.outcome}.narrator` }, (message) => {
    const decoded = decodeOutcome(message.data);
    if (decoded.ok) {
      const { error, eventId, platformMessageIds, status, target } = decoded.value;
      const facts = error === undefined ? platformMessageIds.join(', ') : `${error.code}: ${error.message}`;
      print(`out       ${target.connector}  ${target.destination}  ${status}  ${eventId}  ${facts}`);
    }
    return Promise.resolve('ack');
  });
}
