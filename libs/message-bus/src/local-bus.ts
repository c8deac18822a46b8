export {
  type LocalBusServer,
  type LocalBusServerOptions,
  startLocalBus,
} from './local-bus/server/local-bus-server.js';
