/**
 * Secure sockets of Windows CE and Windows Mobile (sslsock.h): the values of SO_SECURE, the control codes SO_SSL_*, their flags, the
 * protocols and algorithms that structures name, and what a hook answers.
 *
 * Source: winsock-surface.md section 14, windows-mobile.md sections 2.1 and 2.2. Codes of TLS 1.1 and later and of algorithms newer
 * than the header are those of Windows' schannel.h and wincrypt.h.
 */

import { IOC_IN, IOC_OUT, IOC_PROTOCOL } from './ioctl.ts';

/** Values of SO_SECURE. */
export const SO_SEC_NONE = 0x2002;
export const SO_SEC_SSL = 0x2004;

/** The family of the codes, and what tells it from others. */
export const SO_SSL_FAMILY = 0x0073_0000;
export const SO_SSL_FAMILY_MASK = 0x07ff_0000;

const get = (tag: number): number => (IOC_OUT | IOC_PROTOCOL | SO_SSL_FAMILY | tag) >>> 0;
const set = (tag: number): number => (IOC_IN | IOC_PROTOCOL | SO_SSL_FAMILY | tag) >>> 0;

export const SO_SSL_GET_CAPABILITIES = get(1);
export const SO_SSL_SET_FLAGS = set(2);
export const SO_SSL_GET_FLAGS = get(2);
export const SO_SSL_SET_PROTOCOLS = set(3);
export const SO_SSL_GET_PROTOCOLS = get(3);
export const SO_SSL_SET_CIPHERS = set(4);
/** Takes the protocol, too. */
export const SO_SSL_GET_CIPHERS = (get(4) | IOC_IN) >>> 0;
export const SO_SSL_SET_CLIENT_OPTS = set(5);
export const SO_SSL_GET_CLIENT_OPTS = get(5);
export const SO_SSL_SET_SERVER_OPTS = set(6);
export const SO_SSL_GET_SERVER_OPTS = get(6);
export const SO_SSL_SET_CLIENT_AUTH_OPTS = set(7);
export const SO_SSL_GET_CLIENT_AUTH_OPTS = get(7);
export const SO_SSL_SET_VALIDATE_CERT_HOOK = set(8);
export const SO_SSL_GET_VALIDATE_CERT_HOOK = get(8);
export const SO_SSL_SET_AUTH_REQUEST_HOOK = set(9);
export const SO_SSL_GET_AUTH_REQUEST_HOOK = get(9);
export const SO_SSL_SET_KEY_EXCH_HOOK = set(0xa);
export const SO_SSL_GET_KEY_EXCH_HOOK = get(0xa);
export const SO_SSL_SET_SIGNATURE_HOOK = set(0xb);
export const SO_SSL_GET_SIGNATURE_HOOK = get(0xb);
/** Without a direction bit, although it takes a server's name. */
export const SO_SSL_PERFORM_HANDSHAKE = IOC_PROTOCOL | SO_SSL_FAMILY | 0xd;
export const SO_SSL_GET_CONNECTION_INFO = get(0xe);
export const SO_SSL_SET_PEERNAME = set(0xf);
/** As published samples have it: with the direction bit of a result. */
export const SO_SSL_SET_PEERNAME_OUT = get(0xf);

/** Whether a control code is one of the family. */
export function isSslIoctl(code: number): boolean {
  return (code & SO_SSL_FAMILY_MASK) === SO_SSL_FAMILY && (code & 0x1800_0000) === IOC_PROTOCOL;
}

/** SO_SSL_GET_CAPABILITIES. */
export const SSL_CAP_CLIENT = 1;
export const SSL_CAP_SERVER = 2;
export const SSL_CAP_CLIENT_AUTH = 4;
export const SSL_CAP_CRYPTOAPI = 8;

/** SO_SSL_SET_FLAGS. */
export const SSL_FLAG_SERVER = 2;
export const SSL_FLAG_AUTH_CLIENT = 4;
export const SSL_FLAG_DEFER_HANDSHAKE = 8;

/** Protocols of an SSLPROTOCOL. */
export const SSL_PROTOCOL_PCT1 = 1;
export const SSL_PROTOCOL_SSL2 = 2;
export const SSL_PROTOCOL_SSL3 = 3;
export const SSL_PROTOCOL_TLS1 = 4;

/** `dwVersion` of an SSLPROTOCOL of TLS: the version on the wire (RFC 8446 §4.1.2, §4.2.1). 0: whatever the policy allows. */
export const TLS_VERSION_1_0 = 0x0301;
export const TLS_VERSION_1_1 = 0x0302;
export const TLS_VERSION_1_2 = 0x0303;
export const TLS_VERSION_1_3 = 0x0304;

/** Protocols of an SSLCONNECTIONINFO, with the side that this end is. */
export const SSL_PROT_TLS1_SERVER = 0x40;
export const SSL_PROT_TLS1_CLIENT = 0x80;
export const SSL_PROT_TLS1_1_SERVER = 0x100;
export const SSL_PROT_TLS1_1_CLIENT = 0x200;
export const SSL_PROT_TLS1_2_SERVER = 0x400;
export const SSL_PROT_TLS1_2_CLIENT = 0x800;
export const SSL_PROT_TLS1_3_SERVER = 0x1000;
export const SSL_PROT_TLS1_3_CLIENT = 0x2000;

/** `dwType` of a hook: what kind of certificate. */
export const SSL_CERT_X509 = 1;
/** `dwFlags` of the validation hook: nobody known has issued it, or it is another's name. */
export const SSL_CERT_FLAG_ISSUER_UNKNOWN = 1;

/** What a hook answers; only SSL_ERR_OKAY lets the handshake finish. */
export const SSL_ERR_OKAY = 0;
export const SSL_ERR_FAILED = 2;
export const SSL_ERR_BAD_LEN = 3;
export const SSL_ERR_BAD_TYPE = 4;
export const SSL_ERR_BAD_DATA = 5;
export const SSL_ERR_NO_CERT = 6;
export const SSL_ERR_BAD_SIG = 7;
export const SSL_ERR_CERT_EXPIRED = 8;
export const SSL_ERR_CERT_REVOKED = 9;
export const SSL_ERR_CERT_UNKNOWN = 10;
export const SSL_ERR_SIGNATURE = 11;

/** ALG_IDs: class (3 bits), type (4 bits), number. */
export const CALG_DES = 0x6601;
export const CALG_RC2 = 0x6602;
export const CALG_3DES = 0x6603;
export const CALG_AES_128 = 0x660e;
export const CALG_AES_256 = 0x6610;
export const CALG_RC4 = 0x6801;
export const CALG_MD5 = 0x8003;
export const CALG_SHA1 = 0x8004;
export const CALG_SHA_256 = 0x800c;
export const CALG_SHA_384 = 0x800d;
export const CALG_RSA_SIGN = 0x2400;
export const CALG_RSA_KEYX = 0xa400;
export const CALG_DH_EPHEM = 0xaa02;
export const CALG_ECDH_EPHEM = 0xae06;
