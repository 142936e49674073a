/** The part of the package `ip-packet` that tests use; it has no types of its own. */
declare module 'ip-packet' {
  export interface State {
    buffer: Buffer;
    start: number;
    end: number;
  }
  export interface Packet {
    version: number;
    ihl?: number;
    dscp?: number;
    ecn?: number;
    length?: number;
    identification?: number;
    flags?: number;
    fragmentOffset?: number;
    ttl?: number;
    protocol?: number;
    checksum?: number;
    sourceIp: string;
    destinationIp: string;
    data: Buffer;
  }
  const codec: {
    encode(state: State, packet: Packet): void;
    decode(state: State): Packet;
    checksum(packet: Buffer): number;
  };
  export default codec;
}
