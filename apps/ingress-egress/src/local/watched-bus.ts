import { type MessageBus, type MessageHandler, type SubscribeOptions } from '@bitbrat/message-bus';

/** Sees what passes a bus. Must not throw. */
export interface BusWatcher {
  /** The process publishes the message. */
  published(topic: string, data: Uint8Array): void;
  /** A message arrived for the process. */
  received(topic: string, data: Uint8Array): void;
}

/**
 * The same bus, watched from within the process. A subscription would count as a reader of the topic: messages that wait for a bot
 * would be published to nobody.
 */
export function watchBus<T extends MessageBus>(bus: T, watcher: BusWatcher): T {
  const publish: MessageBus['publish'] = (topic, message, options) => {
    watcher.published(topic, message.data);
    return bus.publish(topic, message, options);
  };
  const subscribe = (
    options: SubscribeOptions,
    handler: MessageHandler,
  ): ReturnType<MessageBus['subscribe']> =>
    bus.subscribe(options, (message) => {
      watcher.received(message.topic, message.data);
      return handler(message);
    });
  return new Proxy(bus, {
    get: (target, name) => {
      if (name === 'publish') return publish;
      if (name === 'subscribe') return subscribe;
      const value: unknown = Reflect.get(target, name, target);
      // The drivers have private fields, which only they themselves can read.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value; // a method of the driver
    },
  });
}
