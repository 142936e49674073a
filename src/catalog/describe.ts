/**
 * A change in one line, for the audit trail.
 */

import type { CatalogChange } from '../port/index.ts';

const MAX_LINE = 300;

/** One line of printable text, whatever the change holds. */
export function describeChange(change: CatalogChange): string {
  return printable(sentence(change), MAX_LINE);
}

/** Text without control characters, cut to a length: what others wrote may go to a terminal. */
export function printable(text: string, most: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

function sentence(change: CatalogChange): string {
  switch (change.kind) {
    case 'install-provider':
      return `installed ${braced(change.providerId)} from ${change.path}: ${names(change.entries)}`;
    case 'install-chains':
      return `installed the layered provider "${change.name}" ${braced(change.providerId)} from ${change.path}`;
    case 'update-provider':
      return `updated ${braced(change.providerId)} from ${change.path}: ${names(change.entries)}`;
    case 'deinstall-provider':
      return `deinstalled ${braced(change.providerId)}`;
    case 'remove-entry':
      return `removed the provider of entry ${change.id}`;
    case 'write-order':
      return `ordered the entries ${change.ids.join(' ')}`;
    case 'set-lsp-categories':
      return `put ${braced(change.providerId)} into the categories ${hex(change.categories)}`;
    case 'set-application-category':
      return change.categories === null
        ? `took the category from ${command(change)}`
        : `permitted ${command(change)} the categories ${hex(change.categories)}`;
    case 'permit-providers':
      return change.providers === null
        ? `lifted the list of providers of ${command(change)}`
        : `permitted ${command(change)} only ${change.providers.map(braced).join(' ') || 'base providers'}`;
    case 'install-name-space':
      return `installed the name space "${change.identifier}" ${braced(change.providerId)} from ${change.path}`;
    case 'uninstall-name-space':
      return `uninstalled the name space ${braced(change.providerId)}`;
    case 'enable-name-space':
      return `${change.isActive ? 'enabled' : 'disabled'} the name space ${braced(change.providerId)}`;
    case 'write-name-space-order':
      return `ordered the name spaces ${change.providerIds.map(braced).join(' ')}`;
    case 'install-qos-template':
      return `installed a template of quality of service for ${braced(change.template.providerId)}`;
    case 'remove-qos-template':
      return `removed a template of quality of service of ${braced(change.providerId)}`;
    case 'reset':
      return change.what === 'all' ? 'reset the catalog' : 'removed every layer and chain';
    case 'restore':
      return `restored the catalog of serial ${change.serial}`;
    case 'import-mobile':
      return 'imported a list of layered providers from Windows Mobile';
  }
}

function braced(guid: string): string {
  return `{${guid.replace(/[{}]/g, '')}}`;
}

function names(entries: readonly { readonly szProtocol: string }[]): string {
  return entries.map(({ szProtocol }) => `"${szProtocol}"`).join(', ');
}

function command({ path, extra }: { readonly path: string; readonly extra: string }): string {
  return extra === '' ? path : `${path} ${extra}`;
}

function hex(flags: number): string {
  return `0x${flags.toString(16).padStart(8, '0')}`;
}
