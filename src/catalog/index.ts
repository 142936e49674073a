/**
 * catalog: the service-provider catalog as it is kept, and everything that changes it.
 *
 * - A {@link CatalogState} is a value. {@link applyChange} makes the next one of it, or says with a WSA code why not: every rule about
 *   entries, chains, orders and name spaces is there, without any I/O.
 * - A {@link CatalogKeeper} keeps states in a {@link StateJournal}: {@link MemoryJournal}, or `DiskJournal` (`disk/`), which is
 *   transactional, keeps earlier states and an audit trail, and survives an end of its process at any moment.
 * - {@link catalogPort} is one user's `CatalogPort` over a keeper, with or without the right to change it.
 * - The codecs write catalogs, changes and records as JSON values, for files, IPC and the control API. Their readers believe nothing.
 *
 * Only `disk/` knows Node.
 */

export { applyChange } from './apply.ts';
export {
  CHANGE_KINDS,
  PROGRAM_MAX,
  readAnswer,
  readChange,
  readRecord,
  writeAnswer,
  writeChange,
  writeRecord,
} from './change-codec.ts';
export { type CatalogFinding, checkCatalog } from './check.ts';
export { describeChange, printable } from './describe.ts';
export { type OpenCatalogOptions, openCatalog } from './disk/open.ts';
export { guidText, layerOf } from './entry-rules.ts';
export * from './keeper.ts';
export { MemoryJournal, STATES_KEPT } from './memory-journal.ts';
export { type MobileProvider, readMobileProviders, writeMobileProviders } from './mobile-list.ts';
export type { Json } from './part-codec.ts';
export { describeRefusal } from './refusals.ts';
export { decodeRegistryText, type RegistryProblem } from './registry-text.ts';
export {
  type CatalogDefaults,
  type CatalogState,
  type ChangeContext,
  type ChangeOutcome,
  freshState,
  MAX_ENTRIES,
  snapshotOf,
} from './state.ts';
export { readSnapshot, readState, writeSnapshot } from './state-codec.ts';
export { catalogPort } from './user-port.ts';
