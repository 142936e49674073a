// A module for tests that is no provider.
export const WSPStartup = 'not a function';
