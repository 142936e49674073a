/*
 * A client library for applications in C that want the layers of the provider catalog: the steps of docs/ipc.md, "Provider host", and no
 * more. A process has one host, which its threads share; one operation is under way at a time.
 */

#ifndef PROVIDER_HOST_H
#define PROVIDER_HOST_H

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELLO = 1, WELCOME = 2, GOODBYE = 3, CREDIT = 4, REQUEST = 0x10, DATA = 0x11, COMPLETION = 0x12 };
enum { OP_SOCKET = 1, OP_CLOSE, OP_BIND, OP_LISTEN, OP_ACCEPT, OP_CONNECT, OP_SEND, OP_RECV, OP_SHUTDOWN, OP_SOCK_NAME };
enum { AF_INET_WINSOCK = 2, STREAM = 1, DATAGRAM = 2, TCP = 6, UDP = 17 };
enum { HEADER = 16, REQUEST_HEAD = 28, HOST_FD = 3, ON_BEHALF = 2, WSAENETDOWN = 10050 };

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
/* Why the connection ended, as far as its other end has said. */
static char goodbye[256];
static int32_t last_id;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

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

/* The connection is over; whatever the library is asked from now on is WSAENETDOWN. */
static void host_close(void) {
  if (host >= 0) close(host);
  host = -1;
}

static int write_all(const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  while (length > 0) {
    ssize_t written = send(host, at, length, MSG_NOSIGNAL);
    if (written <= 0) return -1;
    at += written;
    length -= written;
  }
  return 0;
}

static int read_all(void *bytes, size_t length) {
  uint8_t *at = bytes;
  while (length > 0) {
    ssize_t got = read(host, at, length);
    if (got <= 0) return -1;
    at += got;
    length -= got;
  }
  return 0;
}

static int send_message(int type, int flags, int32_t id, const uint8_t *head, int head_length, const void *bulk, size_t bulk_length) {
  uint8_t start[HEADER + REQUEST_HEAD + 128] = {0};
  put32(start, HEADER + head_length + bulk_length);
  put16(start + 4, type);
  put16(start + 6, flags);
  put32(start + 8, id);
  put16(start + 12, head_length);
  memcpy(start + HEADER, head, head_length);
  if (write_all(start, HEADER + head_length) != 0) return -1;
  return bulk_length > 0 ? write_all(bulk, bulk_length) : 0;
}

/* Reads a message; its head and bulk go to `bytes`. Returns its type, or -1 when the connection has ended. */
static int receive_message(uint8_t *bytes, size_t room, int *head_length, size_t *bulk_length, int32_t *id) {
  uint8_t header[HEADER];
  if (read_all(header, HEADER) != 0) return -1;
  size_t length = get32(header);
  if (length < HEADER || length - HEADER > room || read_all(bytes, length - HEADER) != 0) return -1;
  *id = get32(header + 8);
  *head_length = get16(header + 12);
  *bulk_length = length - HEADER - *head_length;
  return get16(header + 4);
}

/*
 * Step 2, in the child: descriptor 3 is its end, 0 is empty, and no other of the application's is left, or they would stay open for as
 * long as the host lives. A parent that is Node's may have left word of a descriptor which Node would read.
 */
static void become_host(char **argv, int end) {
  int empty = open("/dev/null", O_RDONLY);
  if (empty > 0) dup2(empty, 0);
  if (end == HOST_FD) fcntl(HOST_FD, F_SETFD, 0);
  else dup2(end, HOST_FD);
  if (syscall(SYS_close_range, HOST_FD + 1, ~0U, 0) != 0)
    for (int fd = HOST_FD + 1; fd < sysconf(_SC_OPEN_MAX); fd++) close(fd);
  unsetenv("NODE_CHANNEL_FD");
  execvp(argv[0], argv);
  _exit(127);
}

/*
 * Says HELLO, for itself or on behalf of a process. Returns 0, a reason of GOODBYE with its text, or -1 when the connection has ended.
 */
static int shake_hands(int32_t on_behalf_of, char *why, size_t room) {
  uint8_t head[24] = {'W', 'S', 'K', 'D', 1, 0, 1, 0};
  put32(head + 8, on_behalf_of != 0 ? ON_BEHALF : 0);
  put32(head + 12, 262144);
  put32(head + 16, 0xffffffff);
  put32(head + 20, on_behalf_of);
  static uint8_t answer[262144];
  int head_length;
  size_t bulk;
  int32_t id;
  if (send_message(HELLO, 0, 0, head, sizeof head, "hosted-client", 13) != 0) return -1;
  int type = receive_message(answer, sizeof answer, &head_length, &bulk, &id);
  if (type == WELCOME) return 0;
  if (type == GOODBYE) snprintf(why, room, "%.*s", (int)bulk, answer + head_length);
  return type == GOODBYE ? (int)get32(answer) : -1;
}

/* Steps 1 to 4: a pair of sockets, the host with one of them as its descriptor 3, the handshake. Answers as `shake_hands` does. */
static int host_start(char **argv, pid_t *child, char *why, size_t room) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return -1;
  *child = fork();
  if (*child == 0) become_host(argv, pair[1]);
  close(pair[1]);
  host = pair[0];
  int answer = shake_hands(0, why, room);
  if (answer != 0) host_close();
  return answer;
}

static int32_t exchange(struct operation *o) {
  static uint8_t answer[262144];
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
  last_id = last_id % 0x7fffffff + 1;
  if (send_message(REQUEST, flags, last_id, head, REQUEST_HEAD + o->address_length, o->data, o->data_length) != 0) return -1;
  for (;;) {
    int head_length;
    size_t bulk;
    int32_t id;
    int type = receive_message(answer, sizeof answer, &head_length, &bulk, &id);
    if (type == GOODBYE) snprintf(goodbye, sizeof goodbye, "%.*s", (int)bulk, answer + head_length);
    if (type < 0 || type == GOODBYE) return -1;
    if (type != COMPLETION || id != last_id) continue;
    o->error = get32(answer);
    o->value = get32(answer + 4);
    memcpy(o->from, answer + 20, head_length - 20);
    if (o->into != NULL) memcpy(o->into, answer + head_length, bulk < o->into_length ? bulk : o->into_length);
    return 0;
  }
}

/* One operation, to its end. Returns its value, or minus its error; WSAENETDOWN without a host. */
static int32_t run(struct operation *o) {
  pthread_mutex_lock(&one_at_a_time);
  o->error = WSAENETDOWN;
  if (host >= 0 && exchange(o) != 0) {
    o->error = WSAENETDOWN;
    host_close();
  }
  pthread_mutex_unlock(&one_at_a_time);
  return o->error == 0 ? o->value : -o->error;
}

#endif
