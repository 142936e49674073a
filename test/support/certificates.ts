/**
 * Certificates made with openssl for one run of tests: an authority, what it has issued, and some that are wrong.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM and by their files. */
export interface TestIdentity {
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface Certificates {
  readonly folder: string;
  readonly authority: TestIdentity;
  /** Issued by the authority for `server.test` and 10.0.0.2. */
  readonly server: TestIdentity;
  /** Issued by the authority for a client. */
  readonly client: TestIdentity;
  /** For `server.test`, by nobody but itself. */
  readonly selfSigned: TestIdentity;
  /** Issued by the authority, and out of date. */
  readonly expired: TestIdentity;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-tls-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const identity = (name: string): TestIdentity => ({
    certificate: readFileSync(file(`${name}.pem`), 'utf8'),
    key: readFileSync(file(`${name}.key`), 'utf8'),
    certificateFile: file(`${name}.pem`),
    keyFile: file(`${name}.key`),
  });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const selfSigned = (name: string, subject: string, ...more: string[]): TestIdentity => {
    const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
    openssl('req', '-x509', ...newKey, ...out, '-days', '30', '-subj', subject, ...more);
    return identity(name);
  };
  const authority = selfSigned('authority', '/CN=Test authority');
  const issued = (name: string, subject: string, names: string, ...days: string[]): TestIdentity => {
    const extensions = file(`${name}.ext`);
    writeFileSync(extensions, names === '' ? '' : `subjectAltName=${names}\n`);
    openssl('req', ...newKey, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`), '-subj', subject);
    const by = ['-CA', authority.certificateFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
    const what = ['-req', '-in', file(`${name}.csr`), '-out', file(`${name}.pem`), '-extfile', extensions];
    openssl('x509', ...what, ...by, '-days', ...days);
    return identity(name);
  };
  return {
    folder,
    authority,
    server: issued('server', '/CN=server.test', 'DNS:server.test,IP:10.0.0.2', '30'),
    client: issued('client', '/CN=A client', '', '30'),
    selfSigned: selfSigned('self', '/CN=server.test', '-addext', 'subjectAltName=DNS:server.test'),
    expired: issued('expired', '/CN=server.test', 'DNS:server.test', '-1'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The DER of a PEM's first part. */
export function derOf(pem: string): Uint8Array {
  const body = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(pem)?.[1] ?? '';
  return new Uint8Array(Buffer.from(body, 'base64'));
}
