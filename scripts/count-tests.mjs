// Adds up jest's JSON reports of a folder and prints the closing line: `N passed, N failed[, N skipped]`.
// In CI a skipped integration test is a failure: there the privilege and the device are present.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A file that could not be loaded has no tests to count, and is a failure all the same.
  failed += report.testResults.filter((r) => r.status === 'failed' && r.assertionResults.length === 0).length;
  skipped += report.numPendingTests + report.numTodoTests;
}
if (process.env.CI && skipped > 0) {
  console.error(`${skipped} tests were skipped, which CI counts as failed`);
  failed += skipped;
  skipped = 0;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
