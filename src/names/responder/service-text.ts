/**
 * Whether what an application says of a service can be told on the wire.
 */

import { type OfferedService, SERVICE_SUBTYPES_MAX, SERVICE_TEXTS_MAX } from '../../port/index.ts';
import { escapeLabel, fitsWire, MAX_LABEL } from '../name.ts';

/** RFC 6335 §5.1: letters, digits, single hyphens inside, at least one letter, 15 at most. */
const SERVICE_TYPE = /^_(?=[a-z0-9-]{1,15}\.)(?=[0-9-]*[a-z])[a-z0-9]+(-[a-z0-9]+)*\._(tcp|udp)$/i;
/** RFC 1035 §3.3: bytes of a string; RFC 6763 §6.2: of all of them, so that the record fits into a frame. */
const MAX_TEXT = 255;
const MAX_TEXTS_BYTES = 1300;

export function isServiceOffer({ instance, type, subtypes, port, texts }: OfferedService): boolean {
  const bytes = texts.reduce((sum, text) => sum + text.length + 1, 0);
  return (
    isLabel(instance.replaceAll('.', '')) &&
    Buffer.byteLength(instance) <= MAX_LABEL &&
    fitsWire(escapeLabel(instance)) &&
    SERVICE_TYPE.test(type) &&
    subtypes.length <= SERVICE_SUBTYPES_MAX &&
    subtypes.every(isLabel) &&
    Number.isInteger(port) &&
    port >= 0 &&
    port <= 0xffff &&
    texts.length <= SERVICE_TEXTS_MAX &&
    texts.every(({ length }) => length <= MAX_TEXT) &&
    bytes <= MAX_TEXTS_BYTES
  );
}

/** A label without dots: of the names here only a service's instance may have them (RFC 6763 §4.1.1). */
function isLabel(text: string): boolean {
  const isPlain = text !== '' && !/[.\\\p{Cc}\p{Cs}]/u.test(text);
  return isPlain && Buffer.byteLength(text) <= MAX_LABEL && fitsWire(text);
}
