/**
 * Numbers of provider configuration (ws2spi.h): kinds of provider information, categories of layered providers, lengths.
 */

/** What WSCGetProviderInfo and WSCSetProviderInfo are about: WSC_PROVIDER_INFO_TYPE. */
export const ProviderInfoLspCategories = 0;
export const ProviderInfoAudit = 1;
/** Bytes of a WSC_PROVIDER_AUDIT_INFO on 64-bit Windows: RecordSize, and a pointer that is reserved. */
export const WSC_PROVIDER_AUDIT_INFO_LEN = 16;

/** What a layered provider does; also what an application permits. */
export const LSP_INSPECTOR = 0x1;
export const LSP_REDIRECTOR = 0x2;
export const LSP_PROXY = 0x4;
export const LSP_FIREWALL = 0x8;
export const LSP_INBOUND_MODIFY = 0x10;
export const LSP_OUTBOUND_MODIFY = 0x20;
export const LSP_CRYPTO_COMPRESS = 0x40;
export const LSP_LOCAL_CACHE = 0x80;
/** It may be loaded into system processes. */
export const LSP_SYSTEM = 0x8000_0000;

/** Characters of a path, its ending zero among them. */
export const MAX_PATH = 260;
