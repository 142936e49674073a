/**
 * The arguments of the configuration functions: part of the table of `signatures`.
 */

import { bool, inout, input, number, numbers, reference, text, textReference } from './marshal.ts';
import { infoList, texts } from './marshal-config.ts';
import { qos } from './marshal-connect.ts';
import { nameSpaces, nameSpacesEx } from './marshal-names.ts';
import { overlapped, routine } from './marshal-overlapped.ts';
import { storedInfos } from './marshal-structures.ts';
import { type Signature, signature } from './signature.ts';

const install = [text, text, infoList, number] as const;
const enumerate = [numbers, storedInfos, reference] as const;
const path = [text, textReference, reference] as const;
const getInfo = [text, number, inout, reference, number] as const;
const setInfo = [text, number, input, number, number] as const;
const installSpace = [text, text, number, number, text] as const;
const FALSE = 0;

export const CONFIG_SIGNATURES: readonly Signature[] = [
  signature('WSCInstallProvider', install),
  signature('WSCInstallProvider64_32', install),
  signature('WSCInstallProviderAndChains', [text, text, text, number, infoList, number, reference]),
  signature('WSCInstallProviderAndChains64_32', [
    text,
    text,
    text,
    text,
    number,
    infoList,
    number,
    reference,
  ]),
  signature('WSCDeinstallProvider', [text]),
  signature('WSCDeinstallProvider32', [text]),
  signature('WSCUpdateProvider', install),
  signature('WSCUpdateProvider32', install),
  signature('WSCWriteProviderOrder', [numbers, number]),
  signature('WSCWriteProviderOrder32', [numbers, number]),
  signature('WSCEnumProtocols', enumerate),
  signature('WSCEnumProtocols32', enumerate),
  signature('WSCGetProviderPath', path),
  signature('WSCGetProviderPath32', path),
  signature('WSCGetProviderInfo', getInfo),
  signature('WSCGetProviderInfo32', getInfo),
  signature('WSCSetProviderInfo', setInfo),
  signature('WSCSetProviderInfo32', setInfo),
  signature('WSCSetApplicationCategory', [text, number, text, number, number, reference]),
  signature('WSCGetApplicationCategory', [text, number, text, number, reference]),
  signature('WSCInstallQOSTemplate', [text, input, qos], FALSE),
  signature('WSCRemoveQOSTemplate', [text, input], FALSE),
  signature('WSCInstallNameSpace', installSpace),
  signature('WSCInstallNameSpace32', installSpace),
  signature('WSCInstallNameSpaceEx', [...installSpace, input]),
  signature('WSCInstallNameSpaceEx32', [...installSpace, input]),
  signature('WSCUnInstallNameSpace', [text]),
  signature('WSCUnInstallNameSpace32', [text]),
  signature('WSCEnableNSProvider', [text, bool]),
  signature('WSCEnableNSProvider32', [text, bool]),
  signature('WSCWriteNameSpaceOrder', [texts, number]),
  signature('WSCWriteNameSpaceOrder32', [texts, number]),
  signature('WSCEnumNameSpaceProviders', [reference, nameSpaces]),
  signature('WSCEnumNameSpaceProviders32', [reference, nameSpaces]),
  signature('WSCEnumNameSpaceProvidersEx', [reference, nameSpacesEx]),
  signature('WSCEnumNameSpaceProvidersEx32', [reference, nameSpacesEx]),
  signature('WSAProviderConfigChange', [reference, overlapped, routine]),
];
