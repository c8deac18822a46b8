import { decodeIngress, decodeOutcome, type Topics } from '@bitbrat/envelope';
import { type MessageBus } from '@bitbrat/message-bus';

/** Shows each message as it passes: what came in with its envelope, and what became of each answer. */
export async function narrate(bus: MessageBus, topics: Topics, print: (line: string) => void): Promise<void> {
  await bus.subscribe({ topic: topics.ingress, subscription: `${topics.ingress}.narrator` }, (message) => {
    const decoded = decodeIngress(message.data);
    if (decoded.ok) {
      const { from, source, text } = decoded.value;
      print(`in        ${source}  ${from}: ${text}`);
      print(`envelope  ${JSON.stringify(decoded.value, null, 2).replaceAll('\n', '\n          ')}`);
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
