// A provider for tests, as the default export.
export default () => 2;
