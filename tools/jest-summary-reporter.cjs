const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { basename, join, relative } = require('node:path');

/**
 * Writes how many tests passed and failed to `test-output/<suite>.summary.json` of the project, so that
 * validate_deliverable.sh can add up all suites, cached ones included; and to `<suite>.failures.txt` which ones failed, a line each.
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
    const failures = join(directory, `${suite}.failures.txt`);
    rmSync(failures, { force: true });
    if (summary.failed > 0) writeFileSync(failures, failedTests(results.testResults).join('\n') + '\n');
  }
}

function failedTests(files) {
  return files.flatMap(({ testFilePath, testExecError, testResults }) => {
    const file = relative(join(__dirname, '..'), testFilePath);
    const failed = testResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
    return [...(testExecError ? ['does not run'] : []), ...failed].map((name) => `${file}: ${name}`);
  });
}

/** `jest.int.config.cjs` -> `int`, `jest.config.cjs` -> `unit`. */
function suiteOf(globalConfig) {
  const configFile = process.argv.find((argument) => /jest\..*config\.cjs$/.test(argument));
  const name = basename(configFile ?? 'jest.config.cjs');
  return name === 'jest.config.cjs' ? 'unit' : name.replace(/^jest\.|\.config\.cjs$/g, '');
}

module.exports = SummaryReporter;
