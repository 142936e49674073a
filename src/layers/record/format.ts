/**
 * A recording: what went over one connection both ways, and when. A file of JSON lines, so that it can be read, cut and written by
 * hand.
 *
 *     {"format":"winsockd-recording","version":1,"role":"client","local":"10.0.0.1:49152","remote":"10.0.0.2:80"}
 *     {"t":0.4,"way":"out","text":"GET / HTTP/1.0\r\n\r\n"}
 *     {"t":12.1,"way":"in","base64":"AAEC/w=="}
 *     {"t":12.2,"way":"in","end":true}
 *
 * | member | |
 * |---|---|
 * | `role` | `client`: the application has connected; `server`: it has accepted |
 * | `t` | ms since the connection was there |
 * | `way` | `out`: sent by the application, `in`: received by it |
 * | `text`, `base64` | the bytes; `text` for those that are printable ASCII with line ends and tabs |
 * | `end` | that way has ended in good order |
 * | `error` | that way has ended with an error, by its name |
 * | `cut` | the recording has reached its bound; nothing follows |
 */

import { wsaErrorCode } from '../../abi/index.ts';

export type Role = 'client' | 'server';
export type Way = 'in' | 'out';

export interface RecordingHeader {
  readonly role: Role;
  /** As sockaddrs are printed. */
  readonly local: string;
  readonly remote: string;
}

/** One thing that happened. */
export interface RecordedEvent {
  readonly t: number;
  readonly way: Way;
  readonly bytes?: Uint8Array;
  readonly isEnd?: boolean;
  /** A WSA code. */
  readonly error?: number;
}

export interface Recording extends RecordingHeader {
  readonly events: readonly RecordedEvent[];
  /** It was cut at its bound: the end is not in it. */
  readonly isCut: boolean;
}

/** A recording that cannot be read; the message names the line. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

const FORMAT = 'winsockd-recording';
const VERSION = 1;
/** Bytes that are written as text. */
const PRINTABLE = /^[\t\n\r -~]*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function headerLine({ role, local, remote }: RecordingHeader): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, role, local, remote })}\n`;
}

/** Some bytes that went one way. */
export function bytesLine(t: number, way: Way, bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('latin1');
  const content = PRINTABLE.test(text) ? { text } : { base64: buffer.toString('base64') };
  return `${JSON.stringify({ t: rounded(t), way, ...content })}\n`;
}

/** A way's end. @param error its name, or `null` for an end in good order */
export function endLine(t: number, way: Way, error: string | null): string {
  return `${JSON.stringify({ t: rounded(t), way, ...(error === null ? { end: true } : { error }) })}\n`;
}

export function cutLine(t: number): string {
  return `${JSON.stringify({ t: rounded(t), cut: true })}\n`;
}

/**
 * Reads a whole recording. A last line that is not whole, of an application that was killed, counts as cut.
 * @throws {RecordingError}
 */
export function parseRecording(text: string): Recording {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  const header = memberOf(lines[0] ?? rest, 1);
  const { format, version, role, local, remote } = header;
  if (format !== FORMAT) throw new RecordingError('line 1: this is no recording');
  if (version !== VERSION) throw new RecordingError(`line 1: version ${String(version)} is not known`);
  if (role !== 'client' && role !== 'server')
    throw new RecordingError('line 1: role has to be client or server');
  if (typeof local !== 'string' || typeof remote !== 'string') {
    throw new RecordingError('line 1: local and remote have to be addresses');
  }
  const events: RecordedEvent[] = [];
  let isCut = rest !== '';
  let last = 0;
  for (const [i, line] of lines.slice(1).entries()) {
    if (line === '') continue;
    const members = memberOf(line, i + 2);
    if (members['cut'] === true) {
      isCut = true;
      break;
    }
    const event = eventOf(members, i + 2);
    if (event.t < last) throw new RecordingError(`line ${i + 2}: time goes back`);
    last = event.t;
    events.push(event);
  }
  return { role, local, remote, events, isCut };
}

type Members = { readonly [name: string]: unknown };

function memberOf(line: string, number: number): Members {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new RecordingError(`line ${number}: no JSON`);
  }
  if (typeof json !== 'object' || json === null) throw new RecordingError(`line ${number}: no object`);
  return json as Members;
}

function eventOf({ t, way, text, base64, end, error }: Members, line: number): RecordedEvent {
  if (typeof t !== 'number' || !(t >= 0)) throw new RecordingError(`line ${line}: t has to be a time in ms`);
  if (way !== 'in' && way !== 'out') throw new RecordingError(`line ${line}: way has to be in or out`);
  if (end === true) return { t, way, isEnd: true };
  if (typeof text === 'string') return { t, way, bytes: Buffer.from(text, 'utf8') };
  if (typeof base64 === 'string' && BASE64.test(base64))
    return { t, way, bytes: Buffer.from(base64, 'base64') };
  const code = typeof error === 'string' ? wsaErrorCode(error) : -1;
  if (code > 0) return { t, way, error: code };
  throw new RecordingError(`line ${line}: it has neither text, base64, end nor the name of an error`);
}

function rounded(t: number): number {
  return Math.round(t * 1000) / 1000;
}
