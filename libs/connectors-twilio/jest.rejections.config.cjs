// eslint-disable-next-line @nx/enforce-module-boundaries -- it is a part of Jest, which stands in the root
const { TestEnvironment } = require('jest-environment-node');

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

/**
 * Does what the service does with promise rejections that nobody handles: it asks a handler that the suite may set, and only those that
 * are not claimed count as an error of the test. Without it Jest fails a test for what the vendor's SDK leaves behind.
 */
module.exports = class RejectionEnvironment extends TestEnvironment {
  constructor({ globalConfig, projectConfig }, context) {
    // The SDK's last timers still find Jest's globals, or Jest would warn of each access.
    const testEnvironmentOptions = { ...projectConfig.testEnvironmentOptions, globalsCleanup: 'off' };
    super({ globalConfig, projectConfig: { ...projectConfig, testEnvironmentOptions } }, context);
  }

  async setup() {
    await super.setup();
    this.timers = timers();
  }

  handleTestEvent(event) {
    if (event.name === 'run_start') {
      this.listeners = process.listeners('unhandledRejection');
      process.removeAllListeners('unhandledRejection');
      process.on('unhandledRejection', (reason, promise) => {
        if (this.global.claimRejection?.(reason) === true) return;
        for (const listener of this.listeners) listener(reason, promise);
      });
    } else if (event.name === 'run_finish') {
      process.removeAllListeners('unhandledRejection');
      for (const listener of this.listeners) process.on('unhandledRejection', listener);
    }
  }

  /** The SDK's timers outlive its shutdown by a second or two; Jest would take them for handles that we forgot. */
  async teardown() {
    const giveUpAt = Date.now() + 3_000;
    while (timers() > this.timers && Date.now() < giveUpAt) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await super.teardown();
  }
};
