const { mkdirSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');

/**
 * Writes how many tests passed and failed to `test-output/<suite>.summary.json` of the project, so that
 * validate_deliverable.sh can add up all suites, cached ones included.
 */
class SummaryReporter {
  constructor(globalConfig) {
    this.globalConfig = globalConfig;
  }

  onRunComplete(_contexts, results) {
    const suite = process.env.JEST_SUITE ?? suiteOf(this.globalConfig);
    const directory = join(this.globalConfig.rootDir, 'test-output');
    mkdirSync(directory, { recursive: true });
    const summary = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(join(directory, `${suite}.summary.json`), `${JSON.stringify(summary)}\n`);
  }
}

/** `jest.int.config.cjs` -> `int`, `jest.config.cjs` -> `unit`. */
function suiteOf(globalConfig) {
  const configFile = process.argv.find((argument) => /jest\..*config\.cjs$/.test(argument));
  const name = basename(configFile ?? 'jest.config.cjs');
  return name === 'jest.config.cjs' ? 'unit' : name.replace(/^jest\.|\.config\.cjs$/g, '');
}

module.exports = SummaryReporter;
