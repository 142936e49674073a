/*
 * An application in C for bench/micro/hosted.mjs: a TCP connection to itself, through the daemon or through a provider host.
 *
 *     hosted-load daemon SOCKET
 *     hosted-load host PROGRAM [ARGUMENT …]
 *
 * Says "ready" and the host's process id (0: none), then does what each line of its input says, and answers with nanoseconds:
 *
 *     calls N    N times getsockname, one after the other
 *     bytes N    sends N bytes in pieces of 64 KiB and receives them
 */

#include <time.h>

#include "provider-host.h"

enum { PIECE = 65536 };

static int32_t ok(int32_t answer) {
  if (answer >= 0) return answer;
  fprintf(stderr, "hosted-load: WSA code %d\n", -answer);
  exit(1);
}

static int32_t operate(int op, int32_t s, int32_t a, const void *address) {
  struct operation o = {.op = op, .descriptor = s, .a = a, .address = address, .address_length = address != NULL ? 16 : 0};
  return ok(run(&o));
}

static int32_t make_socket(void) {
  struct operation o = {.op = OP_SOCKET, .flags = TCP, .a = AF_INET_WINSOCK, .b = STREAM};
  return ok(run(&o));
}

static void connect_to_itself(int32_t *client, int32_t *server) {
  uint8_t name[16] = {2, 0, 0, 0, 127, 0, 0, 1};
  int32_t listener = make_socket();
  operate(OP_BIND, listener, 0, name);
  struct operation ask = {.op = OP_SOCK_NAME, .descriptor = listener};
  ok(run(&ask));
  operate(OP_LISTEN, listener, 1, NULL);
  *client = make_socket();
  operate(OP_CONNECT, *client, 0, ask.from);
  *server = operate(OP_ACCEPT, listener, 0, NULL);
}

static void calls(int32_t s, long long count) {
  while (count-- > 0) {
    struct operation ask = {.op = OP_SOCK_NAME, .descriptor = s};
    ok(run(&ask));
  }
}

static void bytes(int32_t client, int32_t server, long long count) {
  static uint8_t piece[PIECE], room[PIECE];
  while (count > 0) {
    struct operation out = {.op = OP_SEND, .descriptor = client, .data = piece, .data_length = PIECE};
    int32_t sent = ok(run(&out));
    count -= sent;
    while (sent > 0) {
      struct operation in = {.op = OP_RECV, .descriptor = server, .into = room, .into_length = PIECE};
      sent -= ok(run(&in));
    }
  }
}

static int connect_to_daemon(const char *path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char why[256];
  strncpy(name.sun_path, path, sizeof name.sun_path - 1);
  host = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return connect(host, (struct sockaddr *)&name, sizeof name) != 0 || shake_hands(0, why, sizeof why) != 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc < 3) return 2;
  char why[256] = "";
  pid_t child = 0;
  int failed = strcmp(argv[1], "host") == 0 ? host_start(argv + 2, &child, why, sizeof why) : connect_to_daemon(argv[2]);
  if (failed) {
    fprintf(stderr, "hosted-load: no connection: %s\n", why);
    return 1;
  }
  int32_t client, server;
  connect_to_itself(&client, &server);
  printf("ready %d\n", (int)child);
  char what[16];
  long long count;
  while (scanf("%15s %lld", what, &count) == 2) {
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (strcmp(what, "calls") == 0) calls(client, count);
    else bytes(client, server, count);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("done %lld\n", (ended.tv_sec - began.tv_sec) * 1000000000LL + ended.tv_nsec - began.tv_nsec);
  }
  return 0;
}
