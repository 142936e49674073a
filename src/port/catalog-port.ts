/**
 * The service-provider catalog as it is kept, seen from an application: what is in it, what may be changed, and who changed what.
 *
 * A `CatalogPort` is one user's way to one catalog: embedded it belongs to the process, remote to the daemon, which decides who may
 * change it. Reading is free to everyone. A change is whole or nothing: it is checked, kept, and only then answered. Everything here
 * is plain data that can be written as JSON, but for blobs, which are byte arrays.
 *
 * A process reads the catalog at its first WSAStartup and keeps that snapshot until its last WSACleanup (CFG-FAIL-05, NSP-RULE-08);
 * under the profile `windows-mobile` it follows the catalog while it runs (WM-04, WM-05). GUIDs are text in upper case without
 * braces, as everywhere.
 */

import { WSANO_RECOVERY, type WSAPROTOCOL_INFO } from '../abi/index.ts';

/** A protocol entry with the module that it comes from. */
export interface CatalogEntry {
  readonly info: WSAPROTOCOL_INFO;
  /**
   * Where the provider was installed from, as it was given: environment strings (`%HOME%/x.mjs`) are expanded by whoever loads it
   * (CAT-LOAD-04). `''`: the built-in base provider.
   */
  readonly path: string;
}

/** A name-space provider (WSANAMESPACE_INFOEX with its module). */
export interface NameSpaceEntry {
  readonly providerId: string;
  /** What people see: `lpszIdentifier`. */
  readonly identifier: string;
  /** NS_*. */
  readonly dwNameSpace: number;
  readonly version: number;
  /** An inactive one is listed and not asked (NSP-RULE-07). */
  readonly isActive: boolean;
  /** It has the functions of NSPv2 (10.2). */
  readonly isV2: boolean;
  /** Its module, as {@link CatalogEntry.path}; `''`: built in. */
  readonly path: string;
  /** `ProviderSpecific`, of WSCInstallNameSpaceEx. */
  readonly blob: Uint8Array | null;
}

/** What one application may load: WSCSetApplicationCategory, and a list of providers by name. */
export interface ApplicationEntry {
  /** The program's path. */
  readonly path: string;
  /** Its command line after the program, or `''`: any. An entry with the very command line comes before one with any. */
  readonly extra: string;
  /** LSP_* bits (CAT-LSPCAT-01); `null`: not categorized, every layer is loaded. */
  readonly permittedLspCategories: number | null;
  /** The only layered providers that it loads, by GUID of their layered entry; `null`: its category decides alone. This project's own. */
  readonly permittedProviders: readonly string[] | null;
}

/** A template of quality of service by name: WSCInstallQOSTemplate. */
export interface QosTemplate {
  readonly providerId: string;
  /** `QosName.buf`. */
  readonly name: Uint8Array;
  /** The eight DWORDs of each FLOWSPEC in their order (STR-FLOWSPEC). */
  readonly sending: readonly number[];
  readonly receiving: readonly number[];
  readonly providerSpecific: Uint8Array | null;
}

/** Something in a stored catalog that could not be used; the rest could. */
export interface SkippedPart {
  /** Which part: `entries[3]`, `state-000012.json`. */
  readonly what: string;
  readonly why: string;
}

/** The whole catalog at one moment. */
export interface CatalogSnapshot {
  /** Grows with every change; 0 is the catalog of a fresh installation (CAT-RULE-04: Serial_Access_Num). */
  readonly serial: number;
  /** Every protocol entry in catalog order: layers (ChainLen 0), chains and hidden ones too. */
  readonly entries: readonly CatalogEntry[];
  /** Every name-space provider in the order of asking. */
  readonly nameSpaces: readonly NameSpaceEntry[];
  /** LSP_* bits of layered providers, by GUID of the layered entry; one that is missing has none (CAT-LSPCAT-02). */
  readonly lspCategories: Readonly<Record<string, number>>;
  readonly applications: readonly ApplicationEntry[];
  readonly qosTemplates: readonly QosTemplate[];
  /** What a broken catalog lost; for people. */
  readonly skipped: readonly SkippedPart[];
}

/** What a layered provider is put over: the topmost entry with these three. */
export interface ProtocolTriple {
  readonly iAddressFamily: number;
  readonly iSocketType: number;
  readonly iProtocol: number;
}

/** Everything that can happen to a catalog. */
export type CatalogChange =
  | {
      /** CFG-WSCInstallProvider: entries at the end, with new ids; their ProviderId and dwCatalogEntryId are not read. */
      readonly kind: 'install-provider';
      readonly providerId: string;
      readonly path: string;
      readonly entries: readonly WSAPROTOCOL_INFO[];
      /** `front`: chains before all others, as on Windows Mobile, where nothing can be ordered. */
      readonly position?: 'front';
    }
  | {
      /** CFG-WSCInstallProviderAndChains: the layered entry, and a chain over each triple (`null`: each that base entries have), first. */
      readonly kind: 'install-chains';
      readonly providerId: string;
      readonly path: string;
      readonly name: string;
      /** 0 or XP1_IFS_HANDLES. */
      readonly serviceFlags: number;
      readonly over: readonly ProtocolTriple[] | null;
    }
  | {
      /** CFG-WSCUpdateProvider: an installed provider's path and entries anew; ids are kept. */
      readonly kind: 'update-provider';
      readonly providerId: string;
      readonly path: string;
      readonly entries: readonly WSAPROTOCOL_INFO[];
    }
  /** CFG-WSCDeinstallProvider: every entry of that GUID, and no chain that names it (CFG-FAIL-01). */
  | { readonly kind: 'deinstall-provider'; readonly providerId: string }
  /** A layered provider with all that was built on it: its entries, and chains that it is in (netsh's `remove provider`). */
  | { readonly kind: 'remove-entry'; readonly id: number }
  /** CFG-WSCWriteProviderOrder: all ids, first to last. */
  | { readonly kind: 'write-order'; readonly ids: readonly number[] }
  /** CFG-WSCSetProviderInfo, ProviderInfoLspCategories: LSP_* bits of a layered provider. */
  | { readonly kind: 'set-lsp-categories'; readonly providerId: string; readonly categories: number }
  /** CFG-WSCSetApplicationCategory; `null` takes the category away. The list of providers stays. */
  | {
      readonly kind: 'set-application-category';
      readonly path: string;
      readonly extra: string;
      readonly categories: number | null;
    }
  /** The only layered providers that an application loads; `null` takes the list away. The category stays. */
  | {
      readonly kind: 'permit-providers';
      readonly path: string;
      readonly extra: string;
      readonly providers: readonly string[] | null;
    }
  /** CFG-WSCInstallNameSpace, CFG-WSCInstallNameSpaceEx: at the end, active. */
  | {
      readonly kind: 'install-name-space';
      readonly providerId: string;
      readonly identifier: string;
      readonly path: string;
      readonly dwNameSpace: number;
      readonly version: number;
      readonly isV2: boolean;
      readonly blob: Uint8Array | null;
    }
  /** CFG-WSCUnInstallNameSpace. */
  | { readonly kind: 'uninstall-name-space'; readonly providerId: string }
  /** CFG-WSCEnableNSProvider. */
  | { readonly kind: 'enable-name-space'; readonly providerId: string; readonly isActive: boolean }
  /** CFG-WSCWriteNameSpaceOrder: all GUIDs, first to last. */
  | { readonly kind: 'write-name-space-order'; readonly providerIds: readonly string[] }
  /** CFG-WSCInstallQOSTemplate: one of that name is replaced. */
  | { readonly kind: 'install-qos-template'; readonly template: QosTemplate }
  | { readonly kind: 'remove-qos-template'; readonly providerId: string; readonly name: Uint8Array }
  /** CFG-FAIL-10: the catalog of a fresh installation; or only without layers and chains. Ids go on from where they are. */
  | { readonly kind: 'reset'; readonly what: 'all' | 'layers' }
  /** The catalog as it was at an earlier serial: undo. */
  | { readonly kind: 'restore'; readonly serial: number }
  /** WM-07: Windows Mobile's `[HKEY_LOCAL_MACHINE\Comm\WS2\LSP\NAME]` keys as .reg text; each is installed over all, by `Order`. */
  | { readonly kind: 'import-mobile'; readonly text: string };

/** What became of a change. */
export interface CatalogAnswer {
  /**
   * 0, or why nothing was changed: WSAEINVAL, WSANO_RECOVERY and the others that the functions document; WSANO_RECOVERY and WSAEACCES
   * also where the caller may not, WSAENETDOWN where the catalog can't be reached.
   */
  readonly error: number;
  /** Of the catalog as it is now. */
  readonly serial: number;
  /** Catalog ids that were given out, in the order of the entries; of `install-chains` the layered entry's first. */
  readonly ids: readonly number[];
  /** The LSP_* bits that an application had before; 0 none. */
  readonly previous: number;
}

/** One line of the audit trail. */
export interface CatalogRecord {
  /** What the catalog became with it. */
  readonly serial: number;
  /** Milliseconds since 1970, by the writer's clock. */
  readonly when: number;
  readonly who: { readonly uid: number; readonly pid: number; readonly program: string };
  readonly kind: CatalogChange['kind'];
  /** For people, one line. */
  readonly what: string;
  /** Whether `restore` knows this state. */
  readonly isKept: boolean;
}

/** One user's way to a catalog. Nothing here throws, and no promise rejects. */
export interface CatalogPort {
  /** The catalog as it is kept now; `null` when it can't be reached. */
  read(): CatalogSnapshot | null | Promise<CatalogSnapshot | null>;
  apply(change: CatalogChange): CatalogAnswer | Promise<CatalogAnswer>;
  /**
   * Tells each change after this call, once or more, whoever made it (CFG-FAIL-11).
   * @param tell gets the new serial
   * @returns ends it
   */
  watch(tell: (serial: number) => void): () => void;
  /** The audit trail, newest first; bounded. */
  history(): readonly CatalogRecord[] | Promise<readonly CatalogRecord[]>;
  close(): void;
}

/** Where there is no catalog that could be changed: a process that has nothing but its defaults. */
export const NO_CATALOG: CatalogPort = {
  read: () => null,
  apply: () => ({ error: WSANO_RECOVERY, serial: 0, ids: [], previous: 0 }),
  watch: () => () => {},
  history: () => [],
  close() {},
};
