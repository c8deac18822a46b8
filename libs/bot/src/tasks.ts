import { decodeIngress, decodeOutcome } from '@bitbrat/envelope';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { answerIdPrefix } from './answer.js';
import { type Bot, type MessageContext } from './bot.js';
import { type Task } from './consumer.js';
import { type IngressEnvelope } from './contract.js';
import { type Publish, Replies } from './replies.js';

/** A person's message that wants an answer. What was written after STOP, START or HELP is answered by the platform. */
export function isMessage({ metadata, sender, type }: IngressEnvelope): boolean {
  return type === 'chat.message.v1' && !sender.isBot && metadata['consent'] === undefined;
}

/** What a message of `internal.ingress.v1` means to the bot. */
export function ingressTask(bot: Bot, publish: Publish, now: () => number, message: ReceivedMessage): Task {
  const decoded = decodeIngress(message.data);
  if (!decoded.ok) return { kind: 'unreadable', fault: decoded.fault };
  const envelope = decoded.value;
  const isForPeople = isMessage(envelope);
  if (!isForPeople && bot.onEvent === undefined) return { kind: 'ignored' };
  const traceparent = message.attributes['traceparent'];
  return {
    kind: 'call',
    id: envelope.id,
    call: async (attempt, signal) => {
      const replies = new Replies({ botName: bot.name, envelope, traceparent, publish, signal, now });
      const context: MessageContext = { reply: replies.reply, signal, attempt, traceparent };
      // A handler may change what it is given; the next attempt begins with the original.
      const copy = structuredClone(envelope);
      try {
        await (isForPeople ? bot.onMessage(copy, context) : bot.onEvent?.(copy, context));
        await replies.finish();
      } finally {
        replies.cancel();
      }
    },
  };
}

/** What a message of `internal.egress.outcome.v1` means to the bot. Outcomes of other bots' answers are ignored. */
export function outcomeTask(bot: Bot, message: ReceivedMessage): Task {
  const decoded = decodeOutcome(message.data);
  if (!decoded.ok) return { kind: 'unreadable', fault: decoded.fault };
  const outcome = decoded.value;
  if (!outcome.eventId.startsWith(answerIdPrefix(bot.name))) return { kind: 'ignored' };
  return {
    kind: 'call',
    id: outcome.id,
    call: async (attempt, signal) => {
      await bot.onOutcome?.(structuredClone(outcome), { signal, attempt });
    },
  };
}
