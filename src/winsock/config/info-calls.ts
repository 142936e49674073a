/**
 * What is said about layered providers and applications (9.3): categories, the audit record, and templates of quality of service.
 */

import {
  ERROR_CALL_NOT_IMPLEMENTED,
  LAYERED_PROTOCOL,
  ProviderInfoAudit,
  ProviderInfoLspCategories,
  WSAEFAULT,
  WSAEINVAL,
  WSAEINVALIDPROVIDER,
  WSASERVICE_NOT_FOUND,
  WSC_PROVIDER_AUDIT_INFO_LEN,
} from '../../abi/index.ts';
import { copyOf, copyOrNull, i32le, putI32le } from '../../base/index.ts';
import type { CatalogSnapshot } from '../../port/index.ts';
import { type Answer, flowspecWords, type QOS, type Ref, type WSABUF } from '../../spi/index.ts';
import type { WinsockProcess } from '../process.ts';
import { applied, looked, plainGuid } from './arguments.ts';

const DWORD_LEN = 4;
const TRUE = 1;

export function infoCalls(process: WinsockProcess) {
  const { catalogPort: port } = process;

  const getInfo = (
    lpProviderId: string | null,
    InfoType: number,
    Info: Uint8Array | null,
    InfoSize: Ref | null,
    Flags = 0,
  ): Answer => {
    if (lpProviderId === null || InfoSize === null) return -WSAEFAULT;
    if (Flags !== 0 || (InfoType !== ProviderInfoLspCategories && InfoType !== ProviderInfoAudit)) {
      return -WSAEINVAL;
    }
    return looked(port, (snapshot) => {
      const providerId = plainGuid(lpProviderId);
      if (!isLayered(snapshot, providerId)) return -WSAEINVALIDPROVIDER;
      const needed = InfoType === ProviderInfoAudit ? WSC_PROVIDER_AUDIT_INFO_LEN : DWORD_LEN;
      const room = Math.min(InfoSize.value, Info?.length ?? 0);
      InfoSize.value = needed;
      if (Info === null || room < needed) return -WSAEFAULT;
      Info.fill(0, 0, needed);
      // Of an audit record, how long it is: the trail itself is the catalog's.
      const value =
        InfoType === ProviderInfoAudit
          ? WSC_PROVIDER_AUDIT_INFO_LEN
          : (snapshot.lspCategories[providerId] ?? 0);
      putI32le(Info, 0, value);
      return 0;
    });
  };

  const setInfo = (
    lpProviderId: string | null,
    InfoType: number,
    Info: Uint8Array | null,
    InfoSize: number = Info?.length ?? 0,
    Flags = 0,
  ): Answer => {
    if (InfoType === ProviderInfoAudit) return -ERROR_CALL_NOT_IMPLEMENTED;
    if (lpProviderId === null || Info === null) return -WSAEFAULT;
    if (InfoType !== ProviderInfoLspCategories || Flags !== 0) return -WSAEINVAL;
    if (InfoSize < DWORD_LEN || InfoSize > Info.length) return -WSAEFAULT;
    const categories = i32le(Info, 0) >>> 0;
    return applied(port, { kind: 'set-lsp-categories', providerId: lpProviderId, categories });
  };

  return {
    /**
     * What is known of a layered provider, by the GUID of its hidden entry: its LSP_* categories as a DWORD, or the head of its audit record.
     * @param InfoSize bytes that there is room for; then those that are needed
     */
    WSCGetProviderInfo: getInfo,
    /** The same: there is one catalog. */
    WSCGetProviderInfo32: getInfo,
    /** Says which LSP_* categories a layered provider has. */
    WSCSetProviderInfo: setInfo,
    /** The same: there is one catalog. */
    WSCSetProviderInfo32: setInfo,

    /**
     * Says which LSP_* categories an application permits (CAT-LSPCAT-01).
     * @param Extra its command line after the program; `null`: any
     * @param pPrevPermLspCat gets what it permitted before, 0 when nothing was said
     */
    WSCSetApplicationCategory(
      Path: string | null,
      PathLength: number,
      Extra: string | null,
      ExtraLength: number,
      PermittedLspCategories: number,
      pPrevPermLspCat: Ref | null = null,
    ): Answer {
      const [path, extra] = [part(Path, PathLength), part(Extra, ExtraLength)];
      if (path === null || path === '' || extra === null) return -WSAEINVAL;
      const categories = PermittedLspCategories >>> 0;
      return applied(port, { kind: 'set-application-category', path, extra, categories }, ({ previous }) => {
        if (pPrevPermLspCat !== null) pPrevPermLspCat.value = previous;
        return 0;
      });
    },

    /** Which LSP_* categories an application permits; WSASERVICE_NOT_FOUND when it was not categorized. */
    WSCGetApplicationCategory(
      Path: string | null,
      PathLength: number,
      Extra: string | null,
      ExtraLength: number,
      pPermittedLspCategories: Ref | null,
    ): Answer {
      const [path, extra] = [part(Path, PathLength), part(Extra, ExtraLength)];
      if (path === null || path === '' || extra === null || pPermittedLspCategories === null) {
        return -WSAEINVAL;
      }
      return looked(port, ({ applications }) => {
        const entry = applications.find((each) => each.path === path && each.extra === extra);
        const categories = entry?.permittedLspCategories ?? null;
        if (categories === null) return -WSASERVICE_NOT_FOUND;
        pPermittedLspCategories.value = categories;
        return 0;
      });
    },

    /** Keeps a template of quality of service for a provider, by name. @returns 1 (TRUE) */
    WSCInstallQOSTemplate(Guid: string | null, QosName: WSABUF | null, Qos: QOS | null): Answer {
      if (Guid === null || QosName === null || Qos === null) return -WSAEFAULT;
      const template = {
        providerId: Guid,
        name: copyOf(QosName),
        sending: flowspecWords(Qos.SendingFlowspec),
        receiving: flowspecWords(Qos.ReceivingFlowspec),
        providerSpecific: copyOrNull(Qos.ProviderSpecific),
      };
      return applied(port, { kind: 'install-qos-template', template }, () => TRUE);
    },

    /** Takes a template away. @returns 1 (TRUE) */
    WSCRemoveQOSTemplate(Guid: string | null, QosName: WSABUF | null): Answer {
      if (Guid === null || QosName === null) return -WSAEFAULT;
      const name = copyOf(QosName);
      return applied(port, { kind: 'remove-qos-template', providerId: Guid, name }, () => TRUE);
    },
  };
}

function isLayered({ entries }: CatalogSnapshot, providerId: string): boolean {
  return entries.some(({ info }) => info.ProviderId === providerId && info.ChainLen === LAYERED_PROTOCOL);
}

/** The characters that a caller says there are, without an ending zero; `null` when there are fewer. */
function part(text: string | null, length: number): string | null {
  if (text === null) return '';
  if (!Number.isInteger(length) || length < 0 || length > text.length + 1) return null;
  return text.slice(0, length).replace(/\0.*$/s, '');
}
