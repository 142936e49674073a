/**
 * One TLS connection over a pipe: the handshake, and then a codec. `node:tls` does the cryptography.
 *
 * - The certificate of the peer is judged when the handshake has delivered it, before a byte of the application goes either way.
 * - Renegotiation is refused. An end without close_notify is an error, because it may have been forged (RFC 8446 §6.1).
 */

import { type ConnectionOptions, connect, type SecureContext, TLSSocket } from 'node:tls';
import { WSAECONNABORTED, WSAECONNRESET } from '../../abi/index.ts';
import type { Codec, Pipe } from '../stream/index.ts';
import { failureOf, type TlsFailure } from './failures.ts';
import { PipeDuplex } from './pipe-duplex.ts';

/** What a handshake is begun with. */
export interface TlsOffer {
  readonly isServer: boolean;
  /** Versions, ciphers, certificates, authorities. */
  readonly context: SecureContext;
  /** Of a server: whether it asks its client for a certificate. */
  readonly wantsCertificate: boolean;
  /** Of a client: the name for the server's choice of a certificate (RFC 6066 §3). */
  readonly serverName?: string;
  /** Of a client: a session to resume. */
  readonly session?: Buffer;
  readonly onSession?: (session: Buffer) => void;
}

/** Judges the peer's certificate. @returns `null` when it is taken, else why not */
export type Judge = (socket: TLSSocket) => Promise<TlsFailure | null> | TlsFailure | null;

/** @returns the open connection, or how it failed */
export function openTls(pipe: Pipe, offer: TlsOffer, judge: Judge): Promise<TlsCodec | TlsFailure> {
  const lower = new PipeDuplex(pipe);
  const socket = offer.isServer ? accepted(lower, offer) : connected(lower, offer);
  const codec = new TlsCodec(lower, socket);
  return new Promise((resolve) => {
    const fail = (failure: TlsFailure): void => {
      // An alert about it may be on its way down.
      setImmediate(() =>
        setImmediate(() => {
          codec.destroy();
          resolve(failure);
        }),
      );
    };
    codec.onFailure = () => fail(codec.failure);
    socket.once(offer.isServer ? 'secure' : 'secureConnect', () => {
      socket.disableRenegotiation();
      void Promise.resolve(judge(socket)).then((verdict) => {
        if (verdict !== null) {
          socket.end();
          fail(verdict);
        } else if (codec.hasFailed) {
          fail(codec.failure);
        } else {
          codec.onFailure = () => {};
          resolve(codec);
        }
      });
    });
  });
}

function connected(lower: PipeDuplex, offer: TlsOffer): TLSSocket {
  const options: ConnectionOptions = {
    socket: lower,
    secureContext: offer.context,
    // The judge decides, with all that is known of the certificate.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  };
  if (offer.serverName !== undefined) options.servername = offer.serverName;
  if (offer.session !== undefined) options.session = offer.session;
  const socket = connect(options);
  if (offer.onSession !== undefined) socket.on('session', offer.onSession);
  return socket;
}

function accepted(lower: PipeDuplex, offer: TlsOffer): TLSSocket {
  return new TLSSocket(lower, {
    isServer: true,
    secureContext: offer.context,
    requestCert: offer.wantsCertificate,
    rejectUnauthorized: false,
  });
}

export class TlsCodec implements Codec {
  readonly socket: TLSSocket;
  /** Told once when the connection fails. */
  onFailure: () => void = () => {};
  readonly #lower: PipeDuplex;
  #error: unknown = null;
  /** The peer has said that no more will come. */
  #isNotified = false;
  #isTruncated = false;
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(lower: PipeDuplex, socket: TLSSocket) {
    this.#lower = lower;
    this.socket = socket;
    const push = socket.push.bind(socket);
    socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null) this.#isNotified = true;
      return push(chunk, encoding);
    };
    lower.onEnd = () => {
      if (this.#isNotified) return;
      this.#isTruncated = true;
      this.#failed(null);
    };
    const failed = (error: unknown): void => this.#failed(error);
    socket.on('error', failed);
    socket.on('_tlsError', failed);
    socket.on('close', () => {
      this.#isClosed = true;
      if (!this.#isNotified) this.#failed(null);
      this.#wake?.();
    });
    socket.on('readable', () => this.#wake?.());
    socket.on('end', () => this.#wake?.());
  }

  get hasFailed(): boolean {
    return this.#error !== null || this.#isTruncated || (this.#isClosed && !this.#isNotified);
  }

  get failure(): TlsFailure {
    const { failure } = this.#lower;
    if (failure === 0 && this.#isTruncated) {
      return {
        code: WSAECONNRESET,
        reason: 'the peer has ended the connection without saying so (close_notify)',
      };
    }
    return failureOf(this.#error ?? new Error('the connection was closed'), failure);
  }

  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      const ready = this.socket.readableLength;
      const chunk = ready > 0 ? (this.socket.read(Math.min(ready, into.length)) as Buffer | null) : null;
      if (chunk !== null) {
        into.set(chunk);
        return chunk.length;
      }
      if (this.hasFailed) return -this.failure.code;
      if (this.#isNotified) return 0;
      if (this.#isClosed) return -WSAECONNABORTED;
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // Lets the socket fetch what is next, and say so.
      this.socket.read(0);
      await more;
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#settled((done) => void this.socket.write(bytes, done));
  }

  end(): Promise<number> {
    return this.#settled((done) => void this.socket.end(done));
  }

  destroy(): void {
    this.socket.destroy();
    this.#lower.destroy();
    this.#wake?.();
  }

  #settled(begin: (done: (error?: Error | null) => void) => void): Promise<number> {
    if (this.hasFailed) return Promise.resolve(-this.failure.code);
    if (this.#isClosed) return Promise.resolve(-WSAECONNABORTED);
    return new Promise((resolve) => {
      const closed = (): void => resolve(-this.failure.code);
      this.socket.once('close', closed);
      begin((error) => {
        this.socket.off('close', closed);
        resolve(error === undefined || error === null ? 0 : -this.failure.code);
      });
    });
  }

  #failed(error: unknown): void {
    this.#error ??= error;
    this.#wake?.();
    const tell = this.onFailure;
    this.onFailure = () => {};
    tell();
  }
}
