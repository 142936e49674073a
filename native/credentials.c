/*
 * Who is at the other end of a Unix socket, as the kernel saw it when the connection was made (unix(7), SO_PEERCRED).
 */
#include "winsockd.h"

#include <errno.h>
#include <sys/socket.h>

/* peerCredentials(fd): { pid, uid, gid }. EINVAL: no Unix socket. ENOTCONN: nobody there. */
napi_value peer_credentials(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  int32_t fd;
  int domain = 0;
  socklen_t length = sizeof domain;
  if (!arg_list(env, info, 1, argv) || !arg_i32(env, argv[0], &fd)) return NULL;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0) return throw_errno(env, errno, "getsockopt");
  if (domain != AF_UNIX) return throw_errno(env, EINVAL, "SO_PEERCRED");
  struct ucred peer = {0};
  length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return throw_errno(env, errno, "SO_PEERCRED");
  /* An unconnected socket has nobody's credentials: no pid, and ids of -1. */
  if (peer.uid == (uid_t)-1) return throw_errno(env, ENOTCONN, "SO_PEERCRED");
  if (napi_create_object(env, &result) != napi_ok) return NULL;
  set_property(env, result, "pid", make_i32(env, peer.pid));
  set_property(env, result, "uid", make_u32(env, peer.uid));
  set_property(env, result, "gid", make_u32(env, peer.gid));
  return result;
}
