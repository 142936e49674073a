// One project a test layer (see CONTRIBUTING.md): `npm test -- --selectProjects unit` is the inner loop.
const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
  ],
};

/** A layer: the tests of one folder under test/. */
const layer = (displayName, extra = {}) => ({
  displayName,
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  testEnvironment: 'node',
  ...extra,
});

export default {
  coverageProvider: 'babel',
  collectCoverageFrom: ['src/**/*.ts'],
  projects: [
    layer('unit'),
    layer('packet'),
    layer('sim'),
    layer('conformance'),
    layer('fuzz'),
    layer('integration'),
  ],
};
