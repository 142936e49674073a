/*
 * Opening, adopting and closing a TUN or TAP device, and what offloads it gets.
 */
#include "winsockd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Since Linux 6.2; older headers lack them. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* A namespace's mount point, at most. */
#define PATH_ROOM 256

/* Sets of offloads from the richest to none. A kernel refuses a set with a bit that it does not know. */
static const unsigned offload_steps[] = {
    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
    TUN_F_CSUM | TUN_F_TSO4,
    TUN_F_CSUM,
    0,
};

/* The TUN_F_* bits behind `wanted` OFFLOAD_* bits. Segmentation needs checksums; ECN comes with TCP. */
static unsigned wanted_bits(uint32_t wanted) {
  unsigned bits = 0;
  if (wanted & OFFLOAD_CSUM) bits |= TUN_F_CSUM;
  if (wanted & OFFLOAD_TSO4) bits |= TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN;
  if (wanted & OFFLOAD_TSO6) bits |= TUN_F_CSUM | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (wanted & OFFLOAD_USO) bits |= TUN_F_CSUM | TUN_F_USO4 | TUN_F_USO6;
  return bits;
}

static uint32_t offload_bits(unsigned granted) {
  uint32_t bits = 0;
  if (granted & TUN_F_CSUM) bits |= OFFLOAD_CSUM;
  if (granted & TUN_F_TSO4) bits |= OFFLOAD_TSO4;
  if (granted & TUN_F_TSO6) bits |= OFFLOAD_TSO6;
  if (granted & TUN_F_USO4) bits |= OFFLOAD_USO;
  return bits;
}

/*
 * Asks for what is wanted, then for less, down to nothing. The last step is taken without a vnet header too: a
 * persistent device keeps what its last user asked for, and would send super-segments that carry no description.
 */
static void negotiate_offload(struct device *device, uint32_t wanted) {
  unsigned bits = device->has_vnet_header ? wanted_bits(wanted) : 0;
  unsigned asked = ~0u;
  for (size_t i = 0; i < sizeof offload_steps / sizeof *offload_steps; i++) {
    unsigned step = offload_steps[i] & bits;
    if (step == asked) continue;
    asked = step;
    if (ioctl(device->fd, TUNSETOFFLOAD, (unsigned long)step) == 0) {
      device->offload = offload_bits(step);
      return;
    }
  }
}

/* The header is the short virtio_net_hdr of 10 bytes, whatever an earlier user chose. */
static int choose_header_size(struct device *device) {
  int size = sizeof(struct virtio_net_hdr);
  if (!device->has_vnet_header) return 0;
  return ioctl(device->fd, TUNSETVNETHDRSZ, &size) == 0 ? 0 : errno;
}

static struct device *device_new(const struct device_sockets *sockets) {
  struct device *device = calloc(1, sizeof *device);
  if (device == NULL) {
    if (sockets->tun >= 0) close(sockets->tun);
    if (sockets->netlink >= 0) close(sockets->netlink);
    return NULL;
  }
  device->fd = sockets->tun;
  device->netlink = sockets->netlink;
  return device;
}

static napi_value discard(napi_env env, struct device *device, int error, const char *call) {
  device_close(device);
  free(device);
  return throw_errno(env, error, call);
}

static void remember_name(struct device *device, const struct ifreq *request) {
  memcpy(device->name, request->ifr_name, IFNAMSIZ);
  device->name[IFNAMSIZ - 1] = '\0';
}

static int attach(struct device *device, const char *name, uint32_t offload) {
  unsigned features = 0;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
  device->has_vnet_header =
      offload != 0 && ioctl(device->fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR) != 0;
  request.ifr_flags = (short)((device->is_tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI |
                              (device->has_vnet_header ? IFF_VNET_HDR : 0));
  if (ioctl(device->fd, TUNSETIFF, &request) != 0) return errno;
  remember_name(device, &request);
  return 0;
}

/* open(isTap, name, namespacePath | null, offload): creates the device, or attaches to one that exists. */
napi_value open_device(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  bool is_tap;
  char name[IFNAMSIZ], path[PATH_ROOM];
  uint32_t offload;
  if (!arg_list(env, info, 4, argv) || !arg_bool(env, argv[0], &is_tap) ||
      !arg_text(env, argv[1], name, sizeof name) || !arg_u32(env, argv[3], &offload)) {
    return NULL;
  }
  bool here = is_null(env, argv[2]);
  if (!here && !arg_text(env, argv[2], path, sizeof path)) return NULL;

  struct device_sockets sockets;
  int error = open_in_namespace(here ? NULL : path, true, &sockets);
  if (error != 0) return throw_errno(env, error, sockets.failed);
  struct device *device = device_new(&sockets);
  if (device == NULL) return throw_errno(env, ENOMEM, "calloc");
  device->is_tap = is_tap;
  if ((error = attach(device, name, offload)) != 0) return discard(env, device, error, "TUNSETIFF");
  if ((error = choose_header_size(device)) != 0) return discard(env, device, error, "TUNSETVNETHDRSZ");
  negotiate_offload(device, offload);
  if ((error = find_interface(device)) != 0) return discard(env, device, error, "RTM_GETLINK");
  return wrap_device(env, device);
}

/*
 * The netlink socket of an adopted device. Its namespace may be another one, which only a privileged process can ask
 * for and enter; without privilege the device is looked for in our own.
 */
static int open_netlink_for(int fd, struct device_sockets *sockets) {
  int namespace_fd = ioctl(fd, TUNGETDEVNETNS);
  if (namespace_fd >= 0) {
    int error = open_in_namespace_of(namespace_fd, false, sockets);
    close(namespace_fd);
    if (error == 0) return 0;
  }
  return open_in_namespace(NULL, false, sockets);
}

/* adopt(fd, offload): takes over a descriptor that somebody else opened and attached. Owned from success on. */
napi_value adopt_device(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int32_t fd;
  uint32_t offload;
  struct ifreq request;
  if (!arg_list(env, info, 2, argv) || !arg_i32(env, argv[0], &fd) || !arg_u32(env, argv[1], &offload)) return NULL;
  memset(&request, 0, sizeof request);
  if (ioctl(fd, TUNGETIFF, &request) != 0) return throw_errno(env, errno, "TUNGETIFF");
  if ((request.ifr_flags & IFF_NO_PI) == 0) return throw_errno(env, EPROTO, "IFF_NO_PI");
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return throw_errno(env, errno, "fcntl");
  }

  struct device_sockets sockets;
  int error = open_netlink_for(fd, &sockets);
  if (error != 0) return throw_errno(env, error, sockets.failed);
  struct device *device = device_new(&sockets);
  if (device == NULL) return throw_errno(env, ENOMEM, "calloc");
  device->fd = fd;
  device->is_tap = (request.ifr_flags & IFF_TAP) != 0;
  device->has_vnet_header = (request.ifr_flags & IFF_VNET_HDR) != 0;
  remember_name(device, &request);
  if ((error = choose_header_size(device)) != 0) {
    device->fd = -1; /* Still the caller's. */
    return discard(env, device, error, "TUNSETVNETHDRSZ");
  }
  negotiate_offload(device, offload);
  (void)find_interface(device); /* Not visible from here: frames still flow. */
  return wrap_device(env, device);
}

/* Idempotent. The watcher goes first: libuv must not poll a descriptor number that is somebody else's already. */
void device_close(struct device *device) {
  watcher_close(device);
  if (device->fd >= 0) close(device->fd);
  if (device->netlink >= 0) close(device->netlink);
  device->fd = device->netlink = -1;
}

/* close(device) */
napi_value close_device(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct device *device;
  if (!arg_list(env, info, 1, argv) || !arg_device(env, argv[0], &device)) return NULL;
  device_close(device);
  return NULL;
}

/*
 * describe(device): what it is and has become. The name is asked for, because an interface can be renamed while it is
 * open; of one that was removed, the last name is told.
 */
napi_value describe_device(napi_env env, napi_callback_info info) {
  napi_value argv[1], result, value;
  struct device *device;
  struct ifreq request;
  if (!arg_list(env, info, 1, argv) || !arg_device(env, argv[0], &device)) return NULL;
  memset(&request, 0, sizeof request);
  if (ioctl(device->fd, TUNGETIFF, &request) == 0) remember_name(device, &request);
  if (napi_create_object(env, &result) != napi_ok) return NULL;
  if (napi_create_string_utf8(env, device->name, NAPI_AUTO_LENGTH, &value) == napi_ok) {
    set_property(env, result, "name", value);
  }
  napi_get_boolean(env, device->is_tap, &value);
  set_property(env, result, "isTap", value);
  napi_get_boolean(env, device->has_vnet_header, &value);
  set_property(env, result, "hasVnetHeader", value);
  napi_get_boolean(env, (request.ifr_flags & IFF_PERSIST) != 0, &value);
  set_property(env, result, "isPersist", value);
  set_property(env, result, "offload", make_u32(env, device->offload));
  set_property(env, result, "fd", make_i32(env, device->fd));
  set_property(env, result, "index", make_i32(env, device->ifindex));
  if (napi_create_double(env, (double)device->dropped, &value) == napi_ok) {
    set_property(env, result, "dropped", value);
  }
  return result;
}

/* setPersist(device, isPersist): whether the interface outlives its last descriptor. */
napi_value set_persist(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  struct device *device;
  bool is_persist;
  if (!arg_list(env, info, 2, argv) || !arg_device(env, argv[0], &device) || !arg_bool(env, argv[1], &is_persist)) {
    return NULL;
  }
  if (ioctl(device->fd, TUNSETPERSIST, is_persist ? 1ul : 0ul) != 0) return throw_errno(env, errno, "TUNSETPERSIST");
  return NULL;
}
