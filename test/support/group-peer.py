"""The kernel's side of a test of multicast: a socket in a group, one JSON line at the end.

  group-peer.py listen INTERFACE GROUP PORT COUNT [SOURCE]   join, from all sources or from one, print READY, receive COUNT
                                                             datagrams, or what came within --wait seconds
  group-peer.py say INTERFACE GROUP PORT TEXT ...            send each text as a datagram to the group

INTERFACE is a name. Groups of both families are taken.
"""

import argparse
import json
import socket
import struct

SOURCE_MEMBERSHIP = 39  # IP_ADD_SOURCE_MEMBERSHIP
JOIN_SOURCE_GROUP = 46  # MCAST_JOIN_SOURCE_GROUP


def storage(family, address):
    """A sockaddr_storage."""
    if family == socket.AF_INET:
        return struct.pack("=HH4s120x", family, 0, socket.inet_aton(address))
    return struct.pack("=HHI16sI100x", family, 0, 0, socket.inet_pton(family, address), 0)


def join(s, family, index, group, source):
    level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
    if source is not None:
        request = struct.pack("=II", index, 0) + storage(family, group) + storage(family, source)
        s.setsockopt(level, JOIN_SOURCE_GROUP, request)
    elif family == socket.AF_INET:
        request = struct.pack("=4s4sI", socket.inet_aton(group), b"\0\0\0\0", index)
        s.setsockopt(level, socket.IP_ADD_MEMBERSHIP, request)
    else:
        request = struct.pack("=16sI", socket.inet_pton(family, group), index)
        s.setsockopt(level, socket.IPV6_JOIN_GROUP, request)


def listen(s, family, index, group, port, count, source=None):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", int(port)))
    join(s, family, index, group, source)
    s.settimeout(options.wait)
    print("READY", flush=True)
    received = []
    try:
        while len(received) < int(count):
            received.append(s.recv(65536).decode())
    except socket.timeout:
        pass
    return {"received": received}


def say(s, family, index, group, port, *texts):
    if family == socket.AF_INET:
        interface = struct.pack("=4s4sI", b"\0\0\0\0", b"\0\0\0\0", index)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    for text in texts:
        s.sendto(text.encode(), (group, int(port)))
    return {"sent": len(texts)}


options = argparse.Namespace()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("mode", choices=["listen", "say"])
    parser.add_argument("interface")
    parser.add_argument("group")
    parser.add_argument("arguments", nargs="+")
    parser.add_argument("--wait", type=float, default=20)
    parser.parse_args(namespace=options)
    family = socket.AF_INET6 if ":" in options.group else socket.AF_INET
    index = socket.if_nametoindex(options.interface)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        work = {"listen": listen, "say": say}[options.mode]
        return work(s, family, index, options.group, *options.arguments)


print(json.dumps(main()), flush=True)
