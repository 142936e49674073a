/*
 * Opening the descriptors that decide where a device lives.
 *
 * A TUN descriptor and a netlink socket belong for ever to the network namespace in which they were opened, so nothing
 * else has to happen inside it: all later work goes through these two. A thread of its own enters the namespace, opens
 * them and ends; the calling thread never leaves its own, so there is no way back that could fail.
 */
#include "winsockd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The kernel answers a route request before send returns; this bounds the wait if it ever does not. */
static const struct timeval NETLINK_TIMEOUT = {.tv_sec = 5, .tv_usec = 0};

struct task {
  int namespace_fd; /* -1: stay */
  bool with_tun;
  struct device_sockets *out;
  int error;
};

static int fail(struct device_sockets *out, const char *call) {
  int error = errno;
  if (out->tun >= 0) close(out->tun);
  if (out->netlink >= 0) close(out->netlink);
  out->tun = out->netlink = -1;
  out->failed = call;
  return error;
}

static int open_here(bool with_tun, struct device_sockets *out) {
  out->tun = out->netlink = -1;
  if (with_tun) {
    out->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (out->tun < 0) return fail(out, "open /dev/net/tun");
  }
  out->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (out->netlink < 0) return fail(out, "socket");
  if (setsockopt(out->netlink, SOL_SOCKET, SO_RCVTIMEO, &NETLINK_TIMEOUT, sizeof NETLINK_TIMEOUT) != 0) {
    return fail(out, "setsockopt");
  }
  return 0;
}

static void *enter_and_open(void *argument) {
  struct task *task = argument;
  task->out->tun = task->out->netlink = -1;
  if (setns(task->namespace_fd, CLONE_NEWNET) != 0) {
    task->error = fail(task->out, "setns");
  } else {
    task->error = open_here(task->with_tun, task->out);
  }
  return NULL;
}

int open_in_namespace_of(int namespace_fd, bool with_tun, struct device_sockets *out) {
  struct task task = {.namespace_fd = namespace_fd, .with_tun = with_tun, .out = out, .error = 0};
  pthread_t thread;
  sigset_t all, before;
  /* No signal handler of the process runs on this thread. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, NULL, enter_and_open, &task);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0) {
    out->failed = "pthread_create";
    return error;
  }
  pthread_join(thread, NULL);
  return task.error;
}

int open_in_namespace(const char *path, bool with_tun, struct device_sockets *out) {
  if (path == NULL) return open_here(with_tun, out);
  out->tun = out->netlink = -1;
  int namespace_fd = open(path, O_RDONLY | O_CLOEXEC);
  if (namespace_fd < 0) return fail(out, "open namespace");
  int error = open_in_namespace_of(namespace_fd, with_tun, out);
  close(namespace_fd);
  return error;
}
