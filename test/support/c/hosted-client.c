/*
 * An application in C that reaches its sockets through a provider host. Each line of its output is a word and what belongs to it.
 *
 *     hosted-client wait PROGRAM [ARGUMENT …]     exchanges bytes with itself, then waits in a receive that nobody answers
 *     hosted-client threads PROGRAM …             exchanges bytes in four threads at once, then waits
 *     hosted-client again PROGRAM …               as wait, and starts another host when that one is gone
 *     hosted-client leave PROGRAM …               exchanges bytes, gives the host up, and lives on
 *     hosted-client share PROGRAM …               as wait, with a child that holds the connection as well
 *     hosted-client follow PROGRAM …              makes a socket and closes it, again and again
 *     hosted-client claim SOCKET PID              asks the daemon for a session on behalf of a process
 */

#include "provider-host.h"

static int32_t ok(const char *what, int32_t answer) {
  if (answer >= 0) return answer;
  printf("failed %s %d %s\n", what, -answer, goodbye);
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
  return run(&o);
}

/* A TCP connection to itself. Returns the client's end. */
static int32_t connection(int32_t *listener, int32_t *server) {
  uint8_t name[16];
  *listener = make_socket(STREAM, TCP);
  bind_to_loopback(*listener, name);
  plain(OP_LISTEN, *listener, 5);
  int32_t client = make_socket(STREAM, TCP);
  transmit(OP_CONNECT, client, NULL, 0, name);
  *server = plain(OP_ACCEPT, *listener, 0);
  return client;
}

/* Bytes through TCP there and back, a message through UDP. Returns a connection on which nothing comes. */
static int32_t exchange_bytes(void) {
  char bytes[64];
  int32_t listener, server;
  int32_t client = connection(&listener, &server);
  transmit(OP_SEND, client, "there and back", 14, NULL);
  int32_t length = ok("recv", receive(server, bytes, sizeof bytes));
  transmit(OP_SEND, server, bytes, length, NULL);
  length = ok("recv", receive(client, bytes, sizeof bytes));
  printf("tcp %.*s\n", length, bytes);

  uint8_t name[16];
  int32_t first = make_socket(DATAGRAM, UDP);
  int32_t second = make_socket(DATAGRAM, UDP);
  bind_to_loopback(second, name);
  transmit(OP_SEND, first, "one message", 11, name);
  length = ok("recv", receive(second, bytes, sizeof bytes));
  printf("udp %.*s\n", length, bytes);
  printf("sockets %d %d %d %d %d\n", listener, client, server, first, second);
  return client;
}

static void *exchange_in_thread(void *unused) {
  exchange_bytes();
  return unused;
}

static void exchange_in_threads(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, exchange_in_thread, NULL);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("threads 4\n");
}

static pid_t start(char **argv) {
  char why[256] = "";
  pid_t child = 0;
  int answer = host_start(argv, &child, why, sizeof why);
  if (answer != 0) {
    printf(answer > 0 ? "refused %d %s\n" : "lost %d %s\n", answer, why);
    exit(0);
  }
  printf("host %d\n", (int)child);
  return child;
}

static int claim(const char *path, int32_t pid) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char why[256] = "";
  strncpy(name.sun_path, path, sizeof name.sun_path - 1);
  host = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(host, (struct sockaddr *)&name, sizeof name) != 0) return 1;
  int answer = shake_hands(pid, why, sizeof why);
  if (answer != 0) host_close();
  printf("claimed %d %s\n", answer, why);
  pause();
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc < 3) return 2;
  const char *mode = argv[1];
  if (strcmp(mode, "claim") == 0) return argc == 4 ? claim(argv[2], atoi(argv[3])) : 2;

  pid_t child = start(argv + 2);
  if (strcmp(mode, "share") == 0) {
    pid_t helper = fork();
    if (helper == 0) return pause();
    printf("helper %d\n", (int)helper);
  }
  if (strcmp(mode, "threads") == 0) exchange_in_threads();
  while (strcmp(mode, "follow") == 0) {
    int32_t s = make_socket(STREAM, TCP);
    printf("socket %d\n", s);
    plain(OP_CLOSE, s, 0);
    usleep(50000);
  }
  int32_t client = exchange_bytes();
  if (strcmp(mode, "leave") == 0) {
    host_close();
    waitpid(child, NULL, 0);
    printf("left %d\n", run(&(struct operation){.op = OP_SOCKET, .flags = TCP, .a = AF_INET_WINSOCK, .b = STREAM}));
    return pause();
  }
  char byte;
  int32_t answer = receive(client, &byte, 1);
  printf("recv %d %s\n", answer, goodbye);
  if (strcmp(mode, "again") == 0) {
    waitpid(child, NULL, 0);
    start(argv + 2);
    exchange_bytes();
    pause();
  }
  return 0;
}
