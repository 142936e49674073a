/*
 * Running something on every thread of the process.
 *
 * Capability sets and no_new_privs belong to a thread, and Node has a dozen of them by the time a program runs. The C
 * library carries setresuid and its kin to all threads by a signal that it keeps for itself: the last one below
 * SIGRTMIN. No thread can block it, which is why it is borrowed here for the length of the call (some of Node's threads
 * block every signal that can be). The handler that was there is put back.
 */
#include "winsockd.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A thread that does not answer for so long is stuck in the kernel, or is none of ours: give up rather than half-do it. */
#define ANSWER_SECONDS 5
/* Threads can start threads while we work; each round catches those of the round before. */
#define MAX_ROUNDS 64
#define MAX_THREADS 4096
/* The kernel's own form of struct sigaction, kept as it comes: larger than on any architecture. */
#define KERNEL_ACTION_ROOM 256

static int (*volatile pending_action)(void);
static volatile int pending_error;
static sem_t answered;

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  if (info->si_code != SI_TKILL || info->si_pid != getpid()) return;
  int saved = errno;
  int error = pending_action();
  if (error != 0) pending_error = error;
  sem_post(&answered);
  errno = saved;
}

/*
 * Sets the handler of the reserved signal, which the C library's sigaction refuses to touch. The kernel's form of it is
 * made by installing it on an ordinary signal and reading it back, so that nothing here knows its layout.
 */
static int borrow_signal(int number, uint8_t *previous) {
  struct sigaction ours, other;
  uint8_t form[KERNEL_ACTION_ROOM] = {0};
  memset(&ours, 0, sizeof ours);
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  if (sigaction(SIGRTMAX, &ours, &other) != 0) return errno;
  int error = 0;
  if (syscall(SYS_rt_sigaction, SIGRTMAX, NULL, form, _NSIG / 8) != 0 ||
      syscall(SYS_rt_sigaction, number, form, previous, _NSIG / 8) != 0) {
    error = errno;
  }
  sigaction(SIGRTMAX, &other, NULL);
  return error;
}

/* 0 when the thread has answered or is gone. */
static int ask(pid_t process, pid_t thread, int number) {
  if (syscall(SYS_tgkill, process, thread, number) != 0) return errno == ESRCH ? 0 : errno;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += ANSWER_SECONDS;
  while (sem_timedwait(&answered, &until) != 0) {
    if (errno == EINTR) continue;
    return syscall(SYS_tgkill, process, thread, 0) != 0 && errno == ESRCH ? 0 : ETIMEDOUT;
  }
  return 0;
}

static bool contains(const pid_t *list, size_t count, pid_t thread) {
  for (size_t i = 0; i < count; i++) {
    if (list[i] == thread) return true;
  }
  return false;
}

/* One pass over the threads that exist now; those in `done` are left out. Adds the others to it. */
static int ask_all(int number, pid_t *done, size_t *count, bool *found_new) {
  pid_t process = getpid();
  DIR *tasks = opendir("/proc/self/task");
  if (tasks == NULL) return errno;
  int error = 0;
  for (const struct dirent *entry = readdir(tasks); entry != NULL && error == 0; entry = readdir(tasks)) {
    pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
    if (thread <= 0 || contains(done, *count, thread)) continue;
    if (*count == MAX_THREADS) {
      error = E2BIG;
      break;
    }
    *found_new = true;
    done[(*count)++] = thread;
    error = ask(process, thread, number);
  }
  closedir(tasks);
  return error;
}

int on_every_thread(int (*action)(void)) {
  int number = SIGRTMIN - 1;
  uint8_t previous[KERNEL_ACTION_ROOM] = {0};
  int error = action();
  if (error != 0) return error;
  pid_t *done = calloc(MAX_THREADS, sizeof *done);
  if (done == NULL) return ENOMEM;
  pending_action = action;
  pending_error = 0;
  if (sem_init(&answered, 0, 0) != 0 || (error = borrow_signal(number, previous)) != 0) {
    free(done);
    return error != 0 ? error : errno;
  }
  size_t count = 1;
  done[0] = (pid_t)syscall(SYS_gettid);
  bool found_new = true;
  for (int round = 0; found_new && error == 0; round++) {
    found_new = false;
    error = round < MAX_ROUNDS ? ask_all(number, done, &count, &found_new) : ETIMEDOUT;
  }
  syscall(SYS_rt_sigaction, number, previous, NULL, _NSIG / 8);
  free(done);
  return error != 0 ? error : pending_error;
}
