"""The kernel's side of a transfer: plain sockets, SHA-256 of what passed, one JSON line at the end.

  kernel-peer.py send HOST PORT BYTES     connect, send pseudo-random bytes, half-close, wait for the peer's end
  kernel-peer.py recv HOST PORT           connect, read to the end
  kernel-peer.py serve-send PORT BYTES    accept one connection, then as send (prints READY first)
  kernel-peer.py serve-recv PORT          accept one connection, then as recv
  kernel-peer.py udp-echo PORT COUNT      echo COUNT datagrams
  kernel-peer.py udp-ask HOST PORT SIZE COUNT   send datagrams one by one and compare the echoes
  kernel-peer.py connections HOST PORT COUNT    open, echo one byte, close; one after the other in groups of 50
"""

import hashlib
import json
import socket
import sys

CHUNK = 1 << 18


def block():
    """A megabyte that no bug reproduces by accident: a chain of hashes."""
    out, last = bytearray(), b"winsockd"
    while len(out) < 1 << 20:
        last = hashlib.sha256(last).digest()
        out += last
    return bytes(out)


def send(s, total):
    digest, data, left, at = hashlib.sha256(), memoryview(block()), total, 0
    while left > 0:
        part = data[at : at + min(CHUNK, left)]
        s.sendall(part)
        digest.update(part)
        left -= len(part)
        at = (at + len(part)) % len(data)
    s.shutdown(socket.SHUT_WR)
    while s.recv(CHUNK):
        pass
    return {"bytes": total, "sha256": digest.hexdigest()}


def recv(s):
    digest, total, buffer = hashlib.sha256(), 0, bytearray(CHUNK)
    view = memoryview(buffer)
    while True:
        n = s.recv_into(buffer)
        if n == 0:
            return {"bytes": total, "sha256": digest.hexdigest()}
        digest.update(view[:n])
        total += n


def listening(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    s.listen(1)
    print("READY", flush=True)
    return s.accept()[0]


def udp_echo(port, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    print("READY", flush=True)
    for _ in range(count):
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)
    return {"echoed": count}


def udp_ask(host, port, size, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((host, port))
    s.settimeout(5)
    data, same = block()[:size], 0
    for i in range(count):
        question = bytes([i & 255]) + data[1:]
        s.send(question)
        same += s.recv(65536) == question
    return {"same": same, "of": count}


def connections(host, port, count):
    echoed = 0
    for start in range(0, count, 50):
        group = []
        for _ in range(min(50, count - start)):
            s = socket.create_connection((host, port), timeout=10)
            group.append(s)
        for s in group:
            s.sendall(b"x")
        for s in group:
            echoed += s.recv(1) == b"x"
            s.close()
    return {"echoed": echoed}


def main(mode, *args):
    if mode in ("send", "recv"):
        s = socket.create_connection((args[0], int(args[1])), timeout=60)
        return send(s, int(args[2])) if mode == "send" else recv(s)
    if mode == "serve-send":
        return send(listening(int(args[0])), int(args[1]))
    if mode == "serve-recv":
        return recv(listening(int(args[0])))
    if mode == "udp-echo":
        return udp_echo(int(args[0]), int(args[1]))
    if mode == "udp-ask":
        return udp_ask(args[0], int(args[1]), int(args[2]), int(args[3]))
    if mode == "connections":
        return connections(args[0], int(args[1]), int(args[2]))
    raise SystemExit(__doc__)


print(json.dumps(main(*sys.argv[1:])), flush=True)
