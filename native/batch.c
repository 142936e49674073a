/*
 * Frames in and out, many a call: the packet path of the addon.
 *
 * The virtio-net header (virtio 1.2 §5.1.6) never lies in the frame arena: readv and writev put it beside, so that a
 * frame can start where its IP header is 4-aligned. Table columns are those of src/base/frames.ts.
 */
#include "winsockd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
  FRAME_OFFSET,
  FRAME_LENGTH,
  FRAME_FLAGS,
  FRAME_GSO_TYPE,
  FRAME_GSO_SIZE,
  FRAME_CSUM_START,
  FRAME_CSUM_OFFSET,
  FRAME_VERDICT,
  FRAME_COLUMNS
};

enum {
  TX_HEADER_OFFSET,
  TX_HEADER_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD2_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_FLAGS,
  TX_GSO_TYPE,
  TX_GSO_SIZE,
  TX_CSUM_START,
  TX_CSUM_OFFSET,
  TX_CAUSE,
  TX_COLUMNS
};

/* The flags are virtio's own: FRAME_NEEDS_CSUM, FRAME_CSUM_VALID. */
_Static_assert(VIRTIO_NET_HDR_F_NEEDS_CSUM == 1 && VIRTIO_NET_HDR_F_DATA_VALID == 2, "flags of base/frames.ts");
_Static_assert(VIRTIO_NET_HDR_GSO_TCPV4 == 1 && VIRTIO_NET_HDR_GSO_TCPV6 == 4 && VIRTIO_NET_HDR_GSO_ECN == 0x80,
               "kinds of super-segment of base/frames.ts");

/* Largest frame: 65,535 bytes of IP behind 14 of Ethernet and a VLAN tag, rounded up. Never split over two reads. */
#define MAX_FRAME 65600u
/* Frames that are checked, then written, at a time: bounds the stack that a call needs. */
#define WRITE_CHUNK 64u

static bool is_known_gso(uint8_t type) {
  switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
      return true;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
      return type == VIRTIO_NET_HDR_GSO_UDP_L4;
    default:
      return false;
  }
}

/*
 * Copies the header's claims into a row, but none that the frame cannot bear: a checksum that would lie outside of it is
 * forgotten (the stack then verifies the frame and drops it), and so is a segment size of nothing.
 */
static void describe_frame(int32_t *row, const struct virtio_net_hdr *header, uint32_t length) {
  uint32_t flags = header->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID);
  if ((flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 &&
      (uint32_t)header->csum_start + header->csum_offset + 2 > length) {
    flags = 0;
  }
  bool is_super = is_known_gso(header->gso_type) && header->gso_size != 0;
  bool is_partial = (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
  row[FRAME_FLAGS] = (int32_t)flags;
  row[FRAME_GSO_TYPE] = is_super ? header->gso_type : 0;
  row[FRAME_GSO_SIZE] = is_super ? header->gso_size : 0;
  row[FRAME_CSUM_START] = is_partial ? header->csum_start : 0;
  row[FRAME_CSUM_OFFSET] = is_partial ? header->csum_offset : 0;
}

/* One frame to `into`. Answers its length without the vnet header, or minus an errno. */
static ssize_t read_frame(const struct device *device, struct virtio_net_hdr *header, uint8_t *into, size_t room) {
  struct iovec parts[2] = {{header, sizeof *header}, {into, room}};
  ssize_t length;
  do {
    length = device->has_vnet_header ? readv(device->fd, parts, 2) : read(device->fd, into, room);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return -errno;
  if (!device->has_vnet_header) return length;
  return length <= (ssize_t)sizeof *header ? 0 : length - (ssize_t)sizeof *header;
}

/*
 * readBatch(device, arena, table): fills the arena until the device is empty, the table is full or less than MAX_FRAME
 * is left. Answers the count; throws when the very first read failed for good.
 */
napi_value read_batch(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  struct device *device;
  struct bytes arena;
  int32_t *table;
  size_t cells;
  if (!arg_list(env, info, 3, argv) || !arg_device(env, argv[0], &device) || !arg_bytes(env, argv[1], &arena) ||
      !arg_table(env, argv[2], &table, &cells)) {
    return NULL;
  }
  /* An Ethernet header of 14 bytes puts the IP header on a multiple of 4 when the frame starts 2 before one. */
  size_t lead = device->is_tap ? 2 : 0;
  size_t capacity = cells / FRAME_COLUMNS, count = 0, at = lead;
  if (capacity == 0 || arena.length < lead + MAX_FRAME) return throw_range(env, "no room for one frame");
  if (arena.length > INT32_MAX) return throw_range(env, "the arena is too large");

  ssize_t length = 0;
  while (count < capacity && arena.length >= at + MAX_FRAME) {
    struct virtio_net_hdr header = {0};
    length = read_frame(device, &header, arena.data + at, MAX_FRAME);
    if (length < 0) break;
    if (length == 0) continue; /* A header without a frame: nothing to say about it. */
    int32_t *row = table + count * FRAME_COLUMNS;
    row[FRAME_OFFSET] = (int32_t)at;
    row[FRAME_LENGTH] = (int32_t)length;
    row[FRAME_VERDICT] = 0;
    describe_frame(row, &header, (uint32_t)length);
    count++;
    at = ((at + (size_t)length + 3) & ~(size_t)3) + lead;
  }
  if (count == 0 && length < 0 && length != -EAGAIN) return throw_errno(env, (int)-length, "read");
  return make_u32(env, (uint32_t)count);
}

static bool add_range(struct outgoing *frame, const struct bytes *from, int32_t offset, int32_t length) {
  if (length == 0) return true; /* Nothing is read, so its offset means nothing. */
  if (offset < 0 || length < 0 || (size_t)offset > from->length || (size_t)length > from->length - (size_t)offset) {
    return false;
  }
  frame->parts[frame->parts_used].iov_base = from->data + offset;
  frame->parts[frame->parts_used++].iov_len = (size_t)length;
  return true;
}

static bool is_u16(int32_t value) { return value >= 0 && value <= UINT16_MAX; }

/* What the device must have been granted to take a row as it is. */
static uint32_t needed_offload(int32_t flags, uint8_t type) {
  uint32_t needed = (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 ? OFFLOAD_CSUM : 0;
  switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
      return needed | OFFLOAD_TSO4;
    case VIRTIO_NET_HDR_GSO_TCPV6:
      return needed | OFFLOAD_TSO6;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
      return needed | OFFLOAD_USO;
    default:
      return needed;
  }
}

/* The vnet header from a row. False: the row's claims contradict the frame. */
static bool fill_header(struct outgoing *frame, const int32_t *row) {
  int32_t flags = row[TX_FLAGS], type = row[TX_GSO_TYPE], size = row[TX_GSO_SIZE];
  struct virtio_net_hdr *header = &frame->header;
  memset(header, 0, sizeof *header);
  bool is_partial = (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
  if (is_partial) {
    int32_t start = row[TX_CSUM_START], offset = row[TX_CSUM_OFFSET];
    if (!is_u16(start) || !is_u16(offset) || (size_t)start + (size_t)offset + 2 > frame->length) return false;
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->csum_start = (uint16_t)start;
    header->csum_offset = (uint16_t)offset;
  }
  if (type != 0) {
    if (type < 0 || type > UINT8_MAX || !is_known_gso((uint8_t)type) || size <= 0 || !is_u16(size)) return false;
    header->gso_type = (uint8_t)type;
    header->gso_size = (uint16_t)size;
  }
  /* How much the kernel lays out in one piece: the frame's headers. */
  header->hdr_len = (uint16_t)row[TX_HEADER_LENGTH];
  return true;
}

/* Checks row and ranges. False when the row is wrong in any way: then nothing of it has been used. */
static bool prepare(struct outgoing *frame, const struct device *device, const int32_t *row,
                    const struct bytes *headers, const struct bytes *payload) {
  frame->first_part = frame->parts_used = 0;
  if (device->has_vnet_header) {
    frame->parts[0].iov_base = &frame->header;
    frame->parts[0].iov_len = sizeof frame->header;
    frame->first_part = frame->parts_used = 1;
  }
  if (!is_u16(row[TX_HEADER_LENGTH]) ||
      !add_range(frame, headers, row[TX_HEADER_OFFSET], row[TX_HEADER_LENGTH]) ||
      !add_range(frame, payload, row[TX_PAYLOAD1_OFFSET], row[TX_PAYLOAD1_LENGTH]) ||
      !add_range(frame, payload, row[TX_PAYLOAD2_OFFSET], row[TX_PAYLOAD2_LENGTH])) {
    return false;
  }
  frame->length =
      (size_t)row[TX_HEADER_LENGTH] + (size_t)row[TX_PAYLOAD1_LENGTH] + (size_t)row[TX_PAYLOAD2_LENGTH];
  if (frame->length == 0 || frame->length > MAX_FRAME || !fill_header(frame, row)) return false;
  uint32_t needed = needed_offload(row[TX_FLAGS], frame->header.gso_type);
  frame->is_cut = (needed & ~device->offload) != 0;
  if (!frame->is_cut) return true;
  /* Every packet of a super-segment gets a checksum of its own: where, only a partial one says. */
  return (needed & OFFLOAD_CSUM) != 0 && begin_cut(device, frame);
}

int write_ranges(struct device *device, const struct iovec *parts, int count) {
  ssize_t written;
  do {
    written = writev(device->fd, parts, count);
  } while (written < 0 && errno == EINTR);
  if (written >= 0) return 0;
  switch (errno) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case EBADFD:
    case EBADF:
    case ENODEV:
      return errno;
    default:
      /* It is down, or dislikes this frame: the next one may pass. */
      device->dropped++;
      return 0;
  }
}

static int write_frame(struct device *device, const struct outgoing *frame) {
  return frame->is_cut ? write_cut(device, frame) : write_ranges(device, frame->parts, frame->parts_used);
}

/* Rows `first` … `first + count` of the table, checked, to `frames`. False: it has thrown. */
static bool prepare_chunk(napi_env env, const struct device *device, struct outgoing *frames, const int32_t *table,
                          const struct bytes *headers, napi_value payloads, uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const int32_t *row = table + (size_t)(first + i) * TX_COLUMNS;
    struct bytes payload = {NULL, 0};
    if (row[TX_PAYLOAD1_LENGTH] != 0 || row[TX_PAYLOAD2_LENGTH] != 0) {
      napi_value array;
      if (napi_get_element(env, payloads, first + i, &array) != napi_ok || !arg_bytes(env, array, &payload)) {
        return false;
      }
    }
    if (!prepare(&frames[i], device, row, headers, &payload)) {
      throw_range(env, "a frame's row points outside of its arrays, or claims what the frame is not");
      return false;
    }
  }
  return true;
}

/*
 * writeBatch(device, headers, table, payloads, first, count): writes rows first … count - 1. Answers how many of them
 * are done with; fewer than count - first when the device has no room. Throws when it is gone.
 * A chunk is checked before any frame of it is written.
 */
napi_value write_batch(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  struct device *device;
  struct bytes headers;
  int32_t *table;
  size_t cells;
  uint32_t first, count, done = 0;
  bool is_array = false;
  if (!arg_list(env, info, 6, argv) || !arg_device(env, argv[0], &device) || !arg_bytes(env, argv[1], &headers) ||
      !arg_table(env, argv[2], &table, &cells) || !arg_u32(env, argv[4], &first) || !arg_u32(env, argv[5], &count)) {
    return NULL;
  }
  if (napi_is_array(env, argv[3], &is_array) != napi_ok || !is_array) return throw_type(env, "an array is needed");
  if (count > cells / TX_COLUMNS || first > count) return throw_range(env, "more frames than the table has rows");

  while (first + done < count) {
    struct outgoing frames[WRITE_CHUNK];
    uint32_t left = count - first - done, chunk = left < WRITE_CHUNK ? left : WRITE_CHUNK;
    if (!prepare_chunk(env, device, frames, table, &headers, argv[3], first + done, chunk)) return NULL;
    for (uint32_t i = 0; i < chunk; i++, done++) {
      int error = write_frame(device, &frames[i]);
      if (error == 0) continue;
      bool is_full = error == EAGAIN || error == ENOBUFS || error == ENOMEM;
      return is_full || done > 0 ? make_u32(env, done) : throw_errno(env, error, "write");
    }
  }
  return make_u32(env, done);
}
