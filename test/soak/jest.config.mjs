// The long counts of scripts/soak. Not a layer of the gate: jest.config.mjs does not know this folder.
import gate from '../../jest.config.mjs';

const [{ transform }] = gate.projects;

export default {
  rootDir: '../..',
  displayName: 'soak',
  testMatch: ['<rootDir>/test/soak/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  testEnvironment: 'node',
  testTimeout: 24 * 3_600_000,
  verbose: true,
};
