/*
 * The one C part of winsockd: TUN/TAP devices with batches and offload headers, peer credentials, dropping privilege.
 *
 * Every function that JavaScript sees checks its arguments, does one thing and reports a failed system call as an
 * Error with `code` ("EBUSY"), `errno` and `syscall`. What the error means to a user is said in src/native/errors.ts.
 * A wrong argument (a caller's bug) is a TypeError or RangeError.
 *
 * Threads: all of it runs on the thread of the calling environment. namespace.c borrows a thread of its own for the
 * length of one call, and threads.c interrupts all others.
 */
#ifndef WINSOCKD_H
#define WINSOCKD_H

#include <linux/virtio_net.h>
#include <net/if.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* OFFLOAD_* of src/base/frames.ts. */
#define OFFLOAD_CSUM 1u
#define OFFLOAD_TSO4 2u
#define OFFLOAD_TSO6 4u
#define OFFLOAD_USO 8u

struct watcher;

/* An open TUN or TAP device. Owned by the JavaScript object that wraps it. */
struct device {
  int fd;      /* -1 once closed */
  int netlink; /* NETLINK_ROUTE socket in the device's namespace; -1 once closed */
  int ifindex; /* 0 when the interface is not visible from here */
  uint32_t sequence;
  bool is_tap;
  bool has_vnet_header;
  uint32_t offload; /* OFFLOAD_* that the kernel granted */
  char name[IFNAMSIZ];
  uint64_t dropped; /* frames that the device refused */
  uint32_t cut_done; /* packets written of the frame at which the device was full; 0 when it was not within one */
  struct watcher *watcher;
};

/* A Uint8Array that JavaScript handed in; valid until the native call returns. */
struct bytes {
  uint8_t *data;
  size_t length;
};

/* values.c: arguments and errors. An `arg_` function that answers false has thrown. */
bool arg_list(napi_env env, napi_callback_info info, size_t want, napi_value *values);
bool arg_i32(napi_env env, napi_value value, int32_t *out);
bool arg_u32(napi_env env, napi_value value, uint32_t *out);
bool arg_bool(napi_env env, napi_value value, bool *out);
bool arg_text(napi_env env, napi_value value, char *into, size_t size);
bool arg_bytes(napi_env env, napi_value value, struct bytes *out);
bool arg_table(napi_env env, napi_value value, int32_t **rows, size_t *length);
bool arg_device(napi_env env, napi_value value, struct device **out);
bool is_null(napi_env env, napi_value value);
napi_value wrap_device(napi_env env, struct device *device);
napi_value throw_errno(napi_env env, int error, const char *syscall_name);
napi_value throw_type(napi_env env, const char *message);
napi_value throw_range(napi_env env, const char *message);
napi_value make_u32(napi_env env, uint32_t value);
napi_value make_i32(napi_env env, int32_t value);
napi_value make_bytes(napi_env env, const void *data, size_t length);
void set_property(napi_env env, napi_value object, const char *name, napi_value value);

/* Headers of a frame, and the ranges that a frame can have: vnet header, headers, two of payload. */
#define CUT_HEADERS 192u
#define FRAME_RANGES 4

/* What a frame is made of that the device does not cut or sum up itself. */
struct cut {
  uint8_t headers[CUT_HEADERS];
  size_t ip_at, transport_at, payload_at;
  size_t size; /* payload of each packet but the last */
  uint32_t count;
  uint64_t pseudo_sum; /* addresses and protocol */
  bool is_tcp, is_v4;
};

/* A frame that has been checked. */
struct outgoing {
  struct virtio_net_hdr header;
  struct iovec parts[FRAME_RANGES];
  int first_part, parts_used; /* those of the frame itself start at first_part */
  size_t length;
  bool is_cut;
  struct cut cut; /* when is_cut */
};

/* batch.c: one frame as it is. 0: taken, or refused by the device and counted. Else the errno that ends the batch. */
int write_ranges(struct device *device, const struct iovec *parts, int count);

/* segment.c: reads a frame's headers, false when they are not what its row claims; writes it in packets, as write_ranges. */
bool begin_cut(const struct device *device, struct outgoing *frame);
int write_cut(struct device *device, const struct outgoing *frame);

/* namespace.c: the two descriptors that decide a device's namespace. Both answer 0 or an errno. */
struct device_sockets {
  int tun;
  int netlink;
  const char *failed; /* the call that failed */
};
int open_in_namespace(const char *path, bool with_tun, struct device_sockets *out);
int open_in_namespace_of(int namespace_fd, bool with_tun, struct device_sockets *out);

/* netlink.c: one request and its answer. Answers 0 or an errno. */
struct request {
  _Alignas(8) uint8_t bytes[512];
};
struct nlmsghdr;
typedef bool (*netlink_visitor)(const struct nlmsghdr *message, void *context);
void *request_begin(struct request *request, uint16_t type, uint16_t flags, size_t body);
void request_attribute(struct request *request, uint16_t type, const void *data, size_t length);
int request_send(struct device *device, struct request *request, netlink_visitor visit, void *context);

/* interface.c */
int find_interface(struct device *device);

/* device.c */
void device_close(struct device *device);

/* poll.c */
void watcher_close(struct device *device);

/* threads.c: runs `action` on every thread of the process; 0 or an errno. */
int on_every_thread(int (*action)(void));

/* What module.c exports. */
napi_value open_device(napi_env env, napi_callback_info info);
napi_value adopt_device(napi_env env, napi_callback_info info);
napi_value close_device(napi_env env, napi_callback_info info);
napi_value describe_device(napi_env env, napi_callback_info info);
napi_value set_persist(napi_env env, napi_callback_info info);
napi_value read_batch(napi_env env, napi_callback_info info);
napi_value write_batch(napi_env env, napi_callback_info info);
napi_value watch_device(napi_env env, napi_callback_info info);
napi_value get_interface(napi_env env, napi_callback_info info);
napi_value set_interface(napi_env env, napi_callback_info info);
napi_value change_address(napi_env env, napi_callback_info info);
napi_value list_addresses(napi_env env, napi_callback_info info);
napi_value change_route(napi_env env, napi_callback_info info);
napi_value peer_credentials(napi_env env, napi_callback_info info);
napi_value drop_privileges(napi_env env, napi_callback_info info);

#endif
