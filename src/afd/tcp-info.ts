/**
 * SIO_TCP_INFO (IOC-SIO_TCP_INFO): the figures of a connection as TCP_INFO_v0 or TCP_INFO_v1, as the caller's version says.
 */

import {
  TCP_INFO_V0_LEN,
  TCP_INFO_V1_LEN,
  type TCP_INFO_v0,
  type TCP_INFO_v1,
  TCPSTATE,
  WSAEINVAL,
  WSAEMSGSIZE,
  writeTcpInfoV0,
  writeTcpInfoV1,
} from '../abi/index.ts';
import { i32le } from '../base/index.ts';
import type { AfdCompletion } from '../port/index.ts';
import type { TcpInfo, TcpState } from '../stack/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { StreamEndpoint } from './stream.ts';

/** As an ioctl's handler: @returns a WSA code; `reply.value` is what was written to `into`. */
export function tcpInfo(
  socket: AfdEndpoint,
  data: Uint8Array | null,
  into: Uint8Array | null,
  reply: AfdCompletion,
): number {
  if (data === null || data.length !== 4) return WSAEMSGSIZE;
  if (!(socket instanceof StreamEndpoint)) return WSAEINVAL;
  const version = i32le(data, 0);
  if (version !== 0 && version !== 1) return WSAEINVAL;
  const length = version === 0 ? TCP_INFO_V0_LEN : TCP_INFO_V1_LEN;
  if (into === null || into.length < length) return WSAEINVAL;
  const info = socket.endpoint.info();
  // Without a connection the buffer is what the next one will have.
  if (info.receiveBufferSize === 0) info.receiveBufferSize = socket.endpoint.receiveBufferSize;
  reply.value = version === 0 ? writeTcpInfoV0(into, 0, toV0(info)) : writeTcpInfoV1(into, 0, toV1(info));
  return 0;
}

function toV0(info: TcpInfo): TCP_INFO_v0 {
  return {
    State: STATES[info.state],
    Mss: info.mss,
    ConnectionTimeMs: Math.round(info.connectionTimeMs),
    TimestampsEnabled: info.timestampsEnabled,
    RttUs: Math.round(info.srtt * 1000),
    MinRttUs: Math.round(info.minRtt * 1000),
    BytesInFlight: info.flightSize,
    Cwnd: info.cwnd,
    SndWnd: info.sndWnd,
    RcvWnd: info.rcvWnd,
    RcvBuf: info.receiveBufferSize,
    BytesOut: info.bytesOut,
    BytesIn: info.bytesIn,
    BytesReordered: info.bytesReordered,
    BytesRetrans: info.bytesRetrans,
    FastRetrans: info.fastRetransmits,
    DupAcksIn: info.dupAcksIn,
    TimeoutEpisodes: info.timeoutEpisodes,
    SynRetrans: info.synRetrans,
  };
}

function toV1(info: TcpInfo): TCP_INFO_v1 {
  return {
    ...toV0(info),
    SndLimTransRwin: info.sndLimTransRwin,
    SndLimTimeRwin: Math.round(info.sndLimTimeRwin),
    SndLimBytesRwin: info.sndLimBytesRwin,
    SndLimTransCwnd: info.sndLimTransCwnd,
    SndLimTimeCwnd: Math.round(info.sndLimTimeCwnd),
    SndLimBytesCwnd: info.sndLimBytesCwnd,
    SndLimTransSnd: info.sndLimTransSnd,
    SndLimTimeSnd: Math.round(info.sndLimTimeSnd),
    SndLimBytesSnd: info.sndLimBytesSnd,
  };
}

/** TCPSTATE's numbers. */
const STATES: Readonly<Record<TcpState, number>> = {
  CLOSED: TCPSTATE.CLOSED,
  LISTEN: TCPSTATE.LISTEN,
  'SYN-SENT': TCPSTATE.SYN_SENT,
  'SYN-RECEIVED': TCPSTATE.SYN_RCVD,
  ESTABLISHED: TCPSTATE.ESTABLISHED,
  'FIN-WAIT-1': TCPSTATE.FIN_WAIT_1,
  'FIN-WAIT-2': TCPSTATE.FIN_WAIT_2,
  'CLOSE-WAIT': TCPSTATE.CLOSE_WAIT,
  CLOSING: TCPSTATE.CLOSING,
  'LAST-ACK': TCPSTATE.LAST_ACK,
  'TIME-WAIT': TCPSTATE.TIME_WAIT,
};
