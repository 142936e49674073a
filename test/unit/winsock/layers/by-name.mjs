// A provider for tests: it answers a code by which it is known.
export const WSPStartup = () => 1;
