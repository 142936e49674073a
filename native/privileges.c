/*
 * Giving up every right that is not needed once the device is open, on every thread, for ever.
 *
 * The order matters: the bounding set needs CAP_SETPCAP, which leaving uid 0 takes away; groups need CAP_SETGID; and
 * no_new_privs comes last because nothing before needs it.
 */
#include "winsockd.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* NGROUPS_MAX of Linux. */
#define MAX_GROUPS 65536

static bool has_capability(int capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capget, &header, sets) != 0) return false;
  return (sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

/* The bounding set of the calling thread: what no later exec can bring back. */
static int empty_bounding_set(void) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return errno;
  }
  return 0;
}

/* Permitted, effective, inheritable and ambient set of the calling thread, and its right to gain any by exec. */
static int empty_capability_sets(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
  /* Linux before 4.3 has no ambient set: nothing to empty. */
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) return errno;
  if (syscall(SYS_capset, &header, none) != 0) return errno;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

/* Group ids from an Int32Array, read as unsigned. The C library carries each of these calls to all threads. */
static int change_ids(const int32_t *groups, size_t group_count, const uint32_t *gid, const uint32_t *uid,
                      const char **failed) {
  _Static_assert(sizeof(gid_t) == sizeof(int32_t), "group ids are read in place");
  *failed = "setgroups";
  if (groups != NULL && setgroups(group_count, (const gid_t *)groups) != 0) return errno;
  *failed = "setresgid";
  if (gid != NULL && setresgid(*gid, *gid, *gid) != 0) return errno;
  *failed = "setresuid";
  if (uid != NULL && setresuid(*uid, *uid, *uid) != 0) return errno;
  return 0;
}

/* dropPrivileges(uid | null, gid | null, groups | null): null leaves as it is. */
napi_value drop_privileges(napi_env env, napi_callback_info info) {
  static int32_t no_groups[1];
  napi_value argv[3];
  uint32_t uid = 0, gid = 0;
  int32_t *groups = NULL;
  size_t group_count = 0;
  const char *failed = NULL;
  if (!arg_list(env, info, 3, argv)) return NULL;
  bool has_uid = !is_null(env, argv[0]), has_gid = !is_null(env, argv[1]);
  if ((has_uid && !arg_u32(env, argv[0], &uid)) || (has_gid && !arg_u32(env, argv[1], &gid))) return NULL;
  if (!is_null(env, argv[2])) {
    if (!arg_table(env, argv[2], &groups, &group_count)) return NULL;
    if (group_count > MAX_GROUPS) return throw_range(env, "too many groups");
    if (group_count == 0) groups = no_groups; /* An empty array has no bytes to point at. */
  }
  if ((has_uid && uid == UINT32_MAX) || (has_gid && gid == UINT32_MAX)) return throw_range(env, "-1 is nobody's id");

  int error = 0;
  if (has_capability(CAP_SETPCAP) && (error = on_every_thread(empty_bounding_set)) != 0) {
    return throw_errno(env, error, "PR_CAPBSET_DROP");
  }
  if ((error = change_ids(groups, group_count, has_gid ? &gid : NULL, has_uid ? &uid : NULL, &failed)) != 0) {
    return throw_errno(env, error, failed);
  }
  if ((error = on_every_thread(empty_capability_sets)) != 0) return throw_errno(env, error, "capset");
  /* Nobody of the same user may attach, read its memory or make it dump core. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return throw_errno(env, errno, "PR_SET_DUMPABLE");
  return NULL;
}
