"""The kernel's side of a test: plain sockets, SHA-256 of what passed, one JSON line at the end.

  kernel-peer.py send HOST PORT BYTES            connect, send pseudo-random bytes, half-close, wait for the peer's end
  kernel-peer.py recv HOST PORT                  connect, read to the end
  kernel-peer.py exchange HOST PORT BYTES ORDER  connect, send BYTES and read to the end; ORDER says how they go together:
                                                 `first` sends, half-closes, then reads; `last` reads to the end, then
                                                 sends; `both` does them at once
  kernel-peer.py abort HOST PORT BYTES           connect, send, wait for a line, close with SO_LINGER 0, which resets
  kernel-peer.py refused HOST PORT               connect; what went wrong is the result
  kernel-peer.py connections HOST PORT COUNT     open, echo one byte, close; one after the other in groups of 50.
                                                 With --last the peer closes first
  kernel-peer.py fast-ask HOST PORT COUNT        COUNT times, one after the other: send a line with MSG_FASTOPEN, read to the
                                                 end; which SYNs had text that was taken, and which answers were right
  kernel-peer.py udp-echo PORT COUNT             echo COUNT datagrams
  kernel-peer.py udp-ask HOST PORT SIZE COUNT    send datagrams one by one and compare the echoes
  kernel-peer.py udp-refused HOST PORT           send a datagram; the error of the next receive is the result
  kernel-peer.py udp-collect PORT BYTES          receive datagrams until so many bytes are there: how many of each size, the
                                                 SHA-256 of all, and the destinations that they were sent to
  kernel-peer.py udp-segments HOST PORT BYTES SIZE   send BYTES in one call, which UDP_SEGMENT cuts into datagrams of SIZE
  kernel-peer.py udp-broadcast HOST PORT TEXT    send a datagram to a broadcast address

`serve-send PORT BYTES`, `serve-recv PORT`, `serve-exchange PORT BYTES ORDER` and `serve-abort PORT BYTES` accept one
connection and go on as their namesakes; `serve-echo PORT COUNT` echoes COUNT connections until their end;
`serve-fast PORT COUNT` with TCP_FASTOPEN, and says of each whether its SYN had text.
Servers print READY when they listen.

  --sndbuf N, --rcvbuf N   SO_SNDBUF and SO_RCVBUF
  --congestion NAME        the congestion control of the connection, such as cubic
  --hold                   before the first read: print CONNECTED and wait for a line
  --chunk N                bytes that one call sends or reads at most (default 256 KiB)
  --six                    sockets of IPv6
"""

import argparse
import errno
import hashlib
import json
import selectors
import socket
import struct
import sys
import threading

GROUP = 50
IP_PKTINFO = 8
UDP_SEGMENT = 103

options = argparse.Namespace()


def block():
    """A megabyte that no bug reproduces by accident: a chain of hashes."""
    out, last = bytearray(), b"winsockd"
    while len(out) < 1 << 20:
        last = hashlib.sha256(last).digest()
        out += last
    return bytes(out)


def new_socket(kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET6 if options.six else socket.AF_INET, kind)
    if options.sndbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, options.sndbuf)
    if options.rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf)
    if options.congestion and kind == socket.SOCK_STREAM:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, options.congestion.encode())
    return s


def connected(host, port):
    s = new_socket()
    s.settimeout(60)
    s.connect((host, int(port)))
    return s


def listening(port, backlog=1):
    s = new_socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", int(port)))
    s.listen(backlog)
    print("READY", flush=True)
    return s


def accepted(port):
    s = listening(port).accept()[0]
    s.settimeout(60)
    return s


def hold():
    print("CONNECTED", flush=True)
    sys.stdin.readline()


def transmit(s, total):
    """Sends and half-closes."""
    digest, data, left, at = hashlib.sha256(), memoryview(block()), total, 0
    while left > 0:
        part = data[at : at + min(options.chunk, left)]
        s.sendall(part)
        digest.update(part)
        left -= len(part)
        at = (at + len(part)) % len(data)
    s.shutdown(socket.SHUT_WR)
    return {"bytes": total, "sha256": digest.hexdigest()}


def recv(s):
    if options.hold:
        hold()
    digest, total, buffer = hashlib.sha256(), 0, bytearray(options.chunk)
    view = memoryview(buffer)
    while True:
        n = s.recv_into(buffer)
        if n == 0:
            return {"bytes": total, "sha256": digest.hexdigest()}
        digest.update(view[:n])
        total += n


def send(s, total):
    result = transmit(s, int(total))
    while s.recv(options.chunk):
        pass
    return result


def exchange(s, total, order):
    if order == "first":
        sent = transmit(s, int(total))
        return {"sent": sent, "received": recv(s)}
    if order == "last":
        received = recv(s)
        return {"received": received, "sent": transmit(s, int(total))}
    result = {}
    sender = threading.Thread(target=lambda: result.update(sent=transmit(s, int(total))))
    sender.start()
    result["received"] = recv(s)
    sender.join()
    return result


def abort(s, total):
    s.sendall(block()[: int(total)])
    hold()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    return {"bytes": int(total)}


def refused(host, port):
    try:
        connected(host, port)
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno, str(error))}
    return {"error": None}


def connections(host, port, count):
    echoed = 0
    for start in range(0, int(count), GROUP):
        group = [connected(host, port) for _ in range(min(GROUP, int(count) - start))]
        for s in group:
            s.sendall(b"x")
        for s in group:
            echoed += s.recv(1) == b"x" and not (options.last and s.recv(1))
            s.close()
    return {"echoed": echoed}


def serve_echo(port, count):
    listener, ready = listening(port, 1024), selectors.DefaultSelector()
    ready.register(listener, selectors.EVENT_READ)
    ended = 0
    while ended < int(count):
        for key, _ in ready.select():
            if key.fileobj is listener:
                ready.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            data = key.fileobj.recv(65536)
            if data:
                key.fileobj.sendall(data)
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()
                ended += 1
    return {"ended": ended}


def has_syn_data(s):
    """TCPI_OPT_SYN_DATA: text of the SYN was acknowledged, or taken."""
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5] & 32 != 0


def fast_ask(host, port, count):
    taken, right = [], 0
    for i in range(int(count)):
        s = new_socket()
        question = b"question %d" % i
        s.sendto(question, socket.MSG_FASTOPEN, (host, int(port)))
        s.settimeout(20)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while part := s.recv(4096):
            answer += part
        taken.append(has_syn_data(s))
        right += answer == question
        s.close()
    return {"taken": taken, "right": right}


def serve_fast(port, count):
    listener = new_socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
    listener.bind(("", int(port)))
    listener.listen(16)
    print("READY", flush=True)
    taken = []
    for _ in range(int(count)):
        s = listener.accept()[0]
        s.settimeout(20)
        while data := s.recv(65536):
            s.sendall(data)
        taken.append(has_syn_data(s))
        s.close()
    return {"taken": taken}


def udp_echo(port, count):
    s = new_socket(socket.SOCK_DGRAM)
    s.bind(("", int(port)))
    print("READY", flush=True)
    for _ in range(int(count)):
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
    return {"echoed": int(count)}


def udp_ask(host, port, size, count):
    s = new_socket(socket.SOCK_DGRAM)
    s.connect((host, int(port)))
    s.settimeout(5)
    data, same = block()[: int(size)], 0
    for i in range(int(count)):
        question = bytes([i & 255]) + data[1:]
        s.send(question)
        same += s.recv(65536) == question
    return {"same": same, "of": int(count)}


def udp_refused(host, port):
    s = new_socket(socket.SOCK_DGRAM)
    s.connect((host, int(port)))
    s.settimeout(5)
    s.send(b"anybody?")
    try:
        s.recv(65536)
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno, str(error))}
    return {"error": None}


def udp_collect(port, total):
    s = new_socket(socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if options.six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        s.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    s.bind(("", int(port)))
    s.settimeout(20)
    print("READY", flush=True)
    sizes, digest, got, to = {}, hashlib.sha256(), 0, set()
    while got < int(total):
        data, control, _, _ = s.recvmsg(65536, 256)
        for level, kind, value in control:
            if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
                to.add(socket.inet_ntoa(value[8:12]))
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                to.add(socket.inet_ntop(socket.AF_INET6, value[:16]))
        got += len(data)
        digest.update(data)
        sizes[len(data)] = sizes.get(len(data), 0) + 1
    return {"sizes": sizes, "sha256": digest.hexdigest(), "to": sorted(to)}


def udp_segments(host, port, total, size):
    s = new_socket(socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, int(size))
    data = block()[: int(total)]
    s.sendto(data, (host, int(port)))
    return {"sha256": hashlib.sha256(data).hexdigest()}


def udp_broadcast(host, port, text):
    s = new_socket(socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.sendto(text.encode(), (host, int(port)))
    return {"sent": len(text)}


STREAMS = {"send": send, "recv": recv, "exchange": exchange, "abort": abort}
OTHERS = {
    "refused": refused,
    "connections": connections,
    "serve-echo": serve_echo,
    "fast-ask": fast_ask,
    "serve-fast": serve_fast,
    "udp-echo": udp_echo,
    "udp-ask": udp_ask,
    "udp-refused": udp_refused,
    "udp-collect": udp_collect,
    "udp-segments": udp_segments,
    "udp-broadcast": udp_broadcast,
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("mode")
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--sndbuf", type=int, default=0)
    parser.add_argument("--rcvbuf", type=int, default=0)
    parser.add_argument("--congestion")
    parser.add_argument("--chunk", type=int, default=1 << 18)
    parser.add_argument("--hold", action="store_true")
    parser.add_argument("--last", action="store_true")
    parser.add_argument("--six", action="store_true")
    parser.parse_args(namespace=options)
    mode, arguments = options.mode, options.arguments
    if mode in OTHERS:
        return OTHERS[mode](*arguments)
    if mode.startswith("serve-") and mode[6:] in STREAMS:
        return STREAMS[mode[6:]](accepted(arguments[0]), *arguments[1:])
    if mode in STREAMS:
        return STREAMS[mode](connected(arguments[0], arguments[1]), *arguments[2:])
    raise SystemExit(__doc__)


print(json.dumps(main()), flush=True)
