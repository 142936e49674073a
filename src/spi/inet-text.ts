/**
 * Numeric IPv4 text in the historical forms that `inet_addr` and WSAStringToAddress read: one to four numbers, each decimal,
 * octal with a leading 0 or hex with 0x; the last one fills all the bytes that are left.
 */

/**
 * Reads such an address.
 * @returns its 32 bits as an unsigned number in host order, or −1 when the text is none
 */
export function parseHistoricalIpv4(text: string): number {
  const parts = text.split('.');
  if (parts.length > 4) return -1;
  let word = 0;
  for (const [i, part] of parts.entries()) {
    const value = parseNumber(part);
    const isLast = i === parts.length - 1;
    const limit = isLast ? 256 ** (4 - i) : 256;
    if (value < 0 || value >= limit) return -1;
    word += isLast ? value : value * 256 ** (3 - i);
  }
  return word;
}

function parseNumber(text: string): number {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]{0,22}$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]{0,15}$/.test(text) ? Number.parseInt(text, 10) : -1;
}
