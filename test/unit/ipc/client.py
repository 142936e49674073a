"""A winsockd client in Python, written from docs/ipc.md alone: an independent reader of that page.

usage: client.py SOCKET BYTES
Makes a TCP socket, connects it to 192.0.2.1:7, sends BYTES bytes and receives as many, and prints what it saw as JSON.
"""

import hashlib
import json
import socket
import struct
import sys

HEADER = struct.Struct('<IHHiHH')
HELLO, WELCOME, GOODBYE, CREDIT, REQUEST, DATA, COMPLETION = 1, 2, 3, 4, 0x10, 0x11, 0x12
MAGIC = 0x444B5357


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        hello = struct.pack('<IHHIII', MAGIC, 1, 1, 0, 65536, 0xFFFFFFFF)
        self.write(HELLO, 0, 0, hello, b'client.py')
        kind, _, _, head, _ = self.read()
        if kind != WELCOME:
            raise SystemExit('no WELCOME')
        fields = struct.unpack_from('<IHHII6I', head)
        assert fields[0] == MAGIC
        self.version, self.pid = fields[1], fields[4]
        self.max_message, self.credit, self.max_transfer = fields[5], fields[6], fields[7]
        self.last_id = 0
        self.credits_seen = 0

    def write(self, kind, flags, id, head=b'', bulk=b''):
        length = 16 + len(head) + len(bulk)
        self.socket.sendall(HEADER.pack(length, kind, flags, id, len(head), 0) + head + bulk)

    def read_exactly(self, count):
        parts = []
        while count > 0:
            part = self.socket.recv(count)
            if not part:
                raise SystemExit('the server is gone')
            parts.append(part)
            count -= len(part)
        return b''.join(parts)

    def read(self):
        """The next message that is no CREDIT."""
        while True:
            length, kind, flags, id, head_length, zero = HEADER.unpack(self.read_exactly(16))
            assert zero == 0
            head = self.read_exactly(head_length)
            bulk = self.read_exactly(length - 16 - head_length)
            if kind == GOODBYE:
                raise SystemExit('GOODBYE %d %s' % (struct.unpack('<I', head)[0], bulk.decode()))
            if kind != CREDIT:
                return kind, flags, id, head, bulk
            self.credit += struct.unpack('<I', head)[0]
            self.credits_seen += 1

    def counted(self, kind, flags, id, head, data):
        """Sends one counted message with as much of data as fits; waits for credit by reading. Returns the rest."""
        while self.credit < 16 + len(head) + min(len(data), 1024):
            assert self.wait_for_credit()
        room = min(self.max_message, self.credit) - 16 - len(head)
        piece, rest = data[:room], data[room:]
        self.credit -= 16 + len(head) + len(piece)
        self.write(kind, flags, id, head, piece)
        return rest

    def wait_for_credit(self):
        length, kind, flags, id, head_length, zero = HEADER.unpack(self.read_exactly(16))
        head = self.read_exactly(length - 16)
        if kind != CREDIT:
            raise SystemExit('message %d instead of CREDIT' % kind)
        self.credit += struct.unpack('<I', head)[0]
        self.credits_seen += 1
        return True

    def call(self, op, descriptor=0, flags=0, a=0, b=0, address=b'', data=None, into=None):
        """One operation, waited for. Returns error, value, flags, address, bytes."""
        self.last_id += 1
        has = (1 if data is not None else 0) | (2 if into is not None else 0)
        rest = data or b''
        head = struct.pack('<HHiIiiII', op, len(address), descriptor, flags, a, b, len(rest), into or 0) + address
        rest = self.counted(REQUEST, has, self.last_id, head, rest)
        while rest:
            rest = self.counted(DATA, 0, self.last_id, b'', rest)
        kind, _, id, head, body = self.read()
        assert kind == COMPLETION and id == self.last_id
        error, value, flags, address_length, _, length = struct.unpack_from('<iiIHHI', head)
        while len(body) < length:
            kind, _, id, _, more = self.read()
            assert kind == DATA and id == self.last_id
            body += more
        return error, value, flags, head[20:20 + address_length], body

    def close(self):
        self.write(GOODBYE, 0, 0, struct.pack('<I', 0))
        self.socket.close()


def main():
    client = Client(sys.argv[1])
    count = int(sys.argv[2])
    error, descriptor, _, _, _ = client.call(1, a=2, b=1, flags=6)
    assert error == 0, error
    to = struct.pack('<H', 2) + struct.pack('>H', 7) + socket.inet_aton('192.0.2.1') + bytes(8)
    error, _, _, _, _ = client.call(6, descriptor, address=to)
    assert error == 0, error
    sent = bytes(i * 31 % 251 for i in range(count))
    error, taken, _, _, _ = client.call(7, descriptor, data=sent)
    assert error == 0, error
    got = b''
    while len(got) < count:
        error, value, _, _, body = client.call(8, descriptor, into=min(count, client.max_transfer))
        assert error == 0 and value == len(body) and value > 0, (error, value)
        got += body
    _, _, _, peer, _ = client.call(11, descriptor)
    bad, _, _, _, _ = client.call(4, 4711)
    closed, _, _, _, _ = client.call(2, descriptor)
    client.close()
    print(json.dumps({
        'version': client.version, 'pid': client.pid, 'descriptor': descriptor, 'taken': taken,
        'equal': got == sent, 'sha256': hashlib.sha256(got).hexdigest(), 'peer': peer.hex(), 'bad': bad, 'closed': closed,
        'credits': client.credits_seen,
    }))


main()
