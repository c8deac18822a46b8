export {
  type LocalBusServer,
  type LocalBusServerOptions,
  startLocalBus,
} from './local/server/local-bus-server.js';
