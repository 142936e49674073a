"""The other side of `wire-session.ts`, on the kernel's sockets. Usage: wire-peer.py PORT...; prints READY when all ports are served, and
ends with a line or its standard input."""

import select
import socket
import sys
import threading

ROUNDS = [1, 17, 500, 700]
GATHERED, OVERLAPPED, LAST = 300, 400, 600


def receive(s, length):
    data = b""
    while len(data) < length:
        part = s.recv(length - len(data))
        if not part:
            break
        data += part
    return data


def serve_stream(listener):
    s, _ = listener.accept()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for size in ROUNDS:
        s.sendall(receive(s, size) * 2)
    select.select([], [], [s], 30)
    s.recv(1, socket.MSG_OOB)
    s.send(b"V", socket.MSG_OOB)
    for size in (GATHERED, OVERLAPPED):
        s.sendall(receive(s, size))
    receive(s, 1)
    s.sendall(bytes((i * 7 + 12) & 0xFF for i in range(LAST)))
    s.close()


def serve_datagrams(s):
    while True:
        data, address = s.recvfrom(65536)
        s.sendto(data, address)


def bound(family, kind, port):
    s = socket.socket(family, kind)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(("", port))
    return s


for port in map(int, sys.argv[1:]):
    for family in (socket.AF_INET, socket.AF_INET6):
        listener = bound(family, socket.SOCK_STREAM, port)
        listener.listen(1)
        threading.Thread(target=serve_stream, args=(listener,), daemon=True).start()
        echo = bound(family, socket.SOCK_DGRAM, port)
        threading.Thread(target=serve_datagrams, args=(echo,), daemon=True).start()
print("READY", flush=True)
sys.stdin.readline()
