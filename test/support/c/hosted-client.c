/*
 * An application in C that reaches its sockets through a provider host: the steps of docs/ipc.md, "Provider host", and no more.
 *
 *     hosted-client PROGRAM [ARGUMENT …]
 *
 * Starts the provider host, sends bytes through a TCP connection to itself and a UDP message to itself, says what came, and waits in a
 * receive that nobody answers. Each line of its output is a word and what belongs to it; it ends with "lost" when its host is gone.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO = 1, WELCOME = 2, GOODBYE = 3, CREDIT = 4, REQUEST = 0x10, DATA = 0x11, COMPLETION = 0x12 };
enum { OP_SOCKET = 1, OP_BIND = 3, OP_LISTEN, OP_ACCEPT, OP_CONNECT, OP_SEND, OP_RECV, OP_SHUTDOWN, OP_SOCK_NAME };
enum { AF_INET_WINSOCK = 2, STREAM = 1, DATAGRAM = 2, TCP = 6, UDP = 17 };
enum { HEADER = 16, REQUEST_HEAD = 28, HOST_FD = 3 };

/* What an operation asks, and what it answered. */
struct operation {
  uint16_t op;
  int32_t descriptor;
  uint32_t flags;
  int32_t a, b;
  const void *address, *data;
  uint16_t address_length;
  uint32_t data_length, into_length;
  void *into;
  int32_t error, value;
  uint8_t from[128];
};

static int host = -1;
static int32_t last_id;

static void put16(uint8_t *at, uint32_t value) {
  at[0] = value & 255;
  at[1] = value >> 8;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value & 0xffff);
  put16(at + 2, value >> 16);
}

static uint32_t get16(const uint8_t *at) { return at[0] | at[1] << 8; }
static uint32_t get32(const uint8_t *at) { return get16(at) | get16(at + 2) << 16; }

static void lost(const char *why) {
  printf("lost %s\n", why);
  exit(0);
}

static void write_all(const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  while (length > 0) {
    ssize_t written = send(host, at, length, MSG_NOSIGNAL);
    if (written <= 0) lost("while writing");
    at += written;
    length -= written;
  }
}

static void read_all(void *bytes, size_t length) {
  uint8_t *at = bytes;
  while (length > 0) {
    ssize_t got = read(host, at, length);
    if (got <= 0) lost("while reading");
    at += got;
    length -= got;
  }
}

static void send_message(int type, int flags, int32_t id, const uint8_t *head, int head_length, const void *bulk, size_t bulk_length) {
  uint8_t header[HEADER] = {0};
  put32(header, HEADER + head_length + bulk_length);
  put16(header + 4, type);
  put16(header + 6, flags);
  put32(header + 8, id);
  put16(header + 12, head_length);
  write_all(header, HEADER);
  write_all(head, head_length);
  write_all(bulk, bulk_length);
}

/* Reads a message; its head and bulk go to `bytes`. Returns its type. */
static int receive_message(uint8_t *bytes, size_t room, int *head_length, size_t *bulk_length, int32_t *id) {
  uint8_t header[HEADER];
  read_all(header, HEADER);
  size_t length = get32(header);
  if (length < HEADER || length - HEADER > room) lost("to a message that is too long");
  read_all(bytes, length - HEADER);
  *id = get32(header + 8);
  *head_length = get16(header + 12);
  *bulk_length = length - HEADER - *head_length;
  return get16(header + 4);
}

/* Steps 1 to 4: a pair of sockets, the host with one of them as its descriptor 3, the handshake. */
static pid_t start_host(char **argv) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) exit(1);
  pid_t child = fork();
  if (child == 0) {
    if (pair[1] == HOST_FD) fcntl(HOST_FD, F_SETFD, 0);
    else dup2(pair[1], HOST_FD);
    execvp(argv[0], argv);
    _exit(127);
  }
  close(pair[1]);
  host = pair[0];
  uint8_t head[20] = {'W', 'S', 'K', 'D', 1, 0, 1, 0};
  put32(head + 12, 65536);
  put32(head + 16, 0xffffffff);
  send_message(HELLO, 0, 0, head, sizeof head, "hosted-client", 13);
  static uint8_t answer[65536];
  int head_length;
  size_t bulk;
  int32_t id;
  int type = receive_message(answer, sizeof answer, &head_length, &bulk, &id);
  if (type == GOODBYE) {
    printf("refused %u %.*s\n", get32(answer), (int)bulk, answer + head_length);
    exit(0);
  }
  if (type != WELCOME) lost("before WELCOME");
  return child;
}

/* One operation, to its end. */
static int32_t run(struct operation *o) {
  static uint8_t answer[65536];
  uint8_t head[REQUEST_HEAD + 128] = {0};
  put16(head, o->op);
  put16(head + 2, o->address_length);
  put32(head + 4, o->descriptor);
  put32(head + 8, o->flags);
  put32(head + 12, o->a);
  put32(head + 16, o->b);
  put32(head + 20, o->data_length);
  put32(head + 24, o->into_length);
  if (o->address_length > 0) memcpy(head + REQUEST_HEAD, o->address, o->address_length);
  int flags = (o->data != NULL ? 1 : 0) | (o->into != NULL ? 2 : 0);
  send_message(REQUEST, flags, ++last_id, head, REQUEST_HEAD + o->address_length, o->data, o->data_length);
  for (;;) {
    int head_length;
    size_t bulk;
    int32_t id;
    int type = receive_message(answer, sizeof answer, &head_length, &bulk, &id);
    if (type == GOODBYE) lost("with a goodbye");
    if (type != COMPLETION || id != last_id) continue;
    o->error = get32(answer);
    o->value = get32(answer + 4);
    memcpy(o->from, answer + 20, head_length - 20);
    if (o->into != NULL) memcpy(o->into, answer + head_length, bulk < o->into_length ? bulk : o->into_length);
    return o->error == 0 ? o->value : -o->error;
  }
}

static int32_t ok(const char *what, int32_t answer) {
  if (answer >= 0) return answer;
  printf("failed %s %d\n", what, -answer);
  exit(1);
}

static int32_t make_socket(int type, int protocol) {
  struct operation o = {.op = OP_SOCKET, .flags = protocol, .a = AF_INET_WINSOCK, .b = type};
  return ok("socket", run(&o));
}

/* Binds to a port of 127.0.0.1 that is free, and writes the SOCKADDR_IN. */
static void bind_to_loopback(int32_t s, uint8_t name[16]) {
  uint8_t any[16] = {2, 0, 0, 0, 127, 0, 0, 1};
  struct operation bind = {.op = OP_BIND, .descriptor = s, .address = any, .address_length = 16};
  ok("bind", run(&bind));
  struct operation ask = {.op = OP_SOCK_NAME, .descriptor = s};
  ok("getsockname", run(&ask));
  memcpy(name, ask.from, 16);
}

static int32_t plain(int op, int32_t s, int32_t a) {
  struct operation o = {.op = op, .descriptor = s, .a = a};
  return ok("operation", run(&o));
}

static int32_t transmit(int op, int32_t s, const void *data, uint32_t length, const uint8_t *name) {
  struct operation o = {.op = op, .descriptor = s, .data = data, .data_length = length, .address = name};
  o.address_length = name != NULL ? 16 : 0;
  return ok(op == OP_CONNECT ? "connect" : "send", run(&o));
}

static int32_t receive(int32_t s, void *into, uint32_t room) {
  struct operation o = {.op = OP_RECV, .descriptor = s, .into = into, .into_length = room};
  return ok("recv", run(&o));
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc < 2) return 2;
  printf("host %d\n", (int)start_host(argv + 1));

  char bytes[64];
  uint8_t name[16];
  int32_t listener = make_socket(STREAM, TCP);
  bind_to_loopback(listener, name);
  plain(OP_LISTEN, listener, 5);
  int32_t client = make_socket(STREAM, TCP);
  transmit(OP_CONNECT, client, NULL, 0, name);
  int32_t server = plain(OP_ACCEPT, listener, 0);
  transmit(OP_SEND, client, "there and back", 14, NULL);
  int32_t length = receive(server, bytes, sizeof bytes);
  transmit(OP_SEND, server, bytes, length, NULL);
  length = receive(client, bytes, sizeof bytes);
  printf("tcp %.*s\n", length, bytes);

  int32_t first = make_socket(DATAGRAM, UDP);
  int32_t second = make_socket(DATAGRAM, UDP);
  bind_to_loopback(second, name);
  transmit(OP_SEND, first, "one message", 11, name);
  length = receive(second, bytes, sizeof bytes);
  printf("udp %.*s\n", length, bytes);

  printf("sockets %d %d %d %d %d\n", listener, client, server, first, second);
  receive(client, bytes, sizeof bytes);
  printf("done\n");
  return 0;
}
