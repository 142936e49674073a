"""One kernel TCP socket that a test drives call by call: a line on stdin is a call, a JSON line is its answer.

  listen PORT        from now on connections are accepted on PORT
  open HOST PORT     a new socket that connects, without waiting
  accept             takes a connection if there is one: {"accepted": bool}
  send N             {"sent": n}, 0 when refused
  receive            reads all there is
  shutdown           of the sending side
  close, abort       the latter with SO_LINGER 0
  quick              ACKs are not delayed for now
  look               {"unread": n}, bytes that wait to be read
"""

import array
import errno
import fcntl
import json
import socket
import struct
import sys
import termios

listener = None
held = None


def new_socket():
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setblocking(False)
    return s


def let_go():
    global held
    if held is not None:
        held.close()
    held = None


def do(name, *args):
    global listener, held
    if name == "listen":
        listener = new_socket()
        listener.bind(("", int(args[0])))
        listener.listen(16)
    elif name == "open":
        let_go()
        held = new_socket()
        held.connect_ex((args[0], int(args[1])))
    elif name == "accept":
        try:
            accepted = listener.accept()[0]
        except BlockingIOError:
            return {"accepted": False}
        let_go()
        held = accepted
        held.setblocking(False)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return {"accepted": True}
    elif held is None:
        return {}
    elif name == "send":
        return {"sent": held.send(b"x" * int(args[0]), socket.MSG_NOSIGNAL)}
    elif name == "receive":
        held.recv(65536)
    elif name == "shutdown":
        held.shutdown(socket.SHUT_WR)
    elif name == "close":
        let_go()
    elif name == "abort":
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        let_go()
    elif name == "quick":
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    elif name == "look":
        count = array.array("i", [0])
        fcntl.ioctl(held, termios.FIONREAD, count)
        return {"unread": count[0]}
    return {}


for line in sys.stdin:
    try:
        answer = do(*line.split())
    except OSError as error:
        answer = {"error": errno.errorcode.get(error.errno, str(error))}
    print(json.dumps(answer), flush=True)
