/*
 * What a device without offloads leaves to us: a super-segment is cut into packets, a partial checksum is completed. What
 * src/wire/segment-offload.ts does for links in memory, here at the speed of C and without a copy of the text.
 */
#include "winsockd.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <unistd.h>

enum { ETHERNET_HEADER = 14, IPV4_HEADER = 20, IPV6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8 };
enum { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };
enum { UDP_CHECKSUM = 6 /* where in its header */ };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

/* The one's complement sum of 16-bit words as they lie in memory, below 2^36 (RFC 1071 §2: any width, any byte order). */
static uint64_t sum_words(const uint8_t *at, size_t length) {
  uint64_t sum = 0, carries = 0;
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    sum += word;
    carries += sum < word;
  }
  uint64_t last = 0;
  memcpy(&last, at, length);
  sum += last;
  carries += sum < last;
  return (sum >> 32) + (uint32_t)sum + carries;
}

static uint16_t fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)sum;
}

/* Adds a range that starts `phase` bytes into what is summed: behind an odd number of bytes its words are the other way round. */
static uint64_t add_sum(uint64_t sum, size_t phase, const uint8_t *at, size_t length) {
  uint16_t part = fold(sum_words(at, length));
  return sum + ((phase & 1) != 0 ? __builtin_bswap16(part) : part);
}

/* Bytes `from` … `from + length` of the frame as ranges of memory. Answers how many. */
static int slice(const struct outgoing *frame, size_t from, size_t length, struct iovec *into) {
  int count = 0;
  for (int i = frame->first_part; i < frame->parts_used && length > 0; i++) {
    const struct iovec *part = &frame->parts[i];
    if (from >= part->iov_len) {
      from -= part->iov_len;
      continue;
    }
    size_t taken = part->iov_len - from < length ? part->iov_len - from : length;
    into[count].iov_base = (uint8_t *)part->iov_base + from;
    into[count++].iov_len = taken;
    from = 0;
    length -= taken;
  }
  return count;
}

static uint64_t sum_ranges(uint64_t sum, size_t phase, const struct iovec *parts, int count) {
  for (int i = 0; i < count; i++) {
    sum = add_sum(sum, phase, parts[i].iov_base, parts[i].iov_len);
    phase += parts[i].iov_len;
  }
  return sum;
}

/* Copies the headers out, and finds where they end. False: they are not those of a frame of that kind. */
static bool read_headers(const struct outgoing *frame, size_t link_length, struct cut *cut) {
  struct iovec parts[FRAME_RANGES];
  size_t wanted = frame->length < sizeof cut->headers ? frame->length : sizeof cut->headers;
  size_t at = 0;
  int count = slice(frame, 0, wanted, parts);
  for (int i = 0; i < count; at += parts[i++].iov_len) memcpy(cut->headers + at, parts[i].iov_base, parts[i].iov_len);

  cut->ip_at = link_length;
  cut->transport_at = frame->header.csum_start;
  uint8_t type = frame->header.gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
  if (type == VIRTIO_NET_HDR_GSO_NONE) {
    /* One packet that only lacks its checksum. */
    cut->payload_at = cut->transport_at + frame->header.csum_offset + 2u;
    cut->size = frame->length - cut->payload_at;
    cut->count = 1;
    return cut->payload_at <= wanted;
  }
  cut->is_tcp = type != VIRTIO_NET_HDR_GSO_UDP_L4;
  cut->is_v4 = wanted > cut->ip_at && cut->headers[cut->ip_at] >> 4 == 4;
  size_t ip_length = cut->is_v4 ? IPV4_HEADER : IPV6_HEADER;
  size_t least = cut->is_tcp ? TCP_HEADER : UDP_HEADER;
  if (cut->transport_at < cut->ip_at + ip_length || cut->transport_at + least > wanted) return false;
  if (cut->is_v4 && type == VIRTIO_NET_HDR_GSO_TCPV6) return false;
  if (!cut->is_v4 && (type == VIRTIO_NET_HDR_GSO_TCPV4 || cut->headers[cut->ip_at] >> 4 != 6)) return false;
  size_t header_length = cut->is_tcp ? (size_t)(cut->headers[cut->transport_at + 12] >> 4) * 4 : UDP_HEADER;
  cut->payload_at = cut->transport_at + header_length;
  if (header_length < least || cut->payload_at > wanted || cut->payload_at >= frame->length) return false;
  cut->size = frame->header.gso_size;
  cut->count = (uint32_t)((frame->length - cut->payload_at + cut->size - 1) / cut->size);

  const uint8_t *ip = cut->headers + cut->ip_at;
  uint8_t protocol[2] = {0, cut->is_tcp ? PROTOCOL_TCP : PROTOCOL_UDP};
  cut->pseudo_sum = cut->is_v4 ? sum_words(ip + 12, 8) : sum_words(ip + 8, 32);
  cut->pseudo_sum += sum_words(protocol, 2);
  return true;
}

bool begin_cut(const struct device *device, struct outgoing *frame) {
  return read_headers(frame, device->is_tap ? ETHERNET_HEADER : 0, &frame->cut);
}

static void fix_network(const struct cut *cut, uint32_t index, uint8_t *headers, size_t length) {
  uint8_t *ip = headers + cut->ip_at;
  if (!cut->is_v4) {
    put16(ip + 4, (uint32_t)(length - cut->ip_at - IPV6_HEADER));
    return;
  }
  put16(ip + 2, (uint32_t)(length - cut->ip_at));
  put16(ip + 4, get16(ip + 4) + index);
  memset(ip + 10, 0, 2);
  uint16_t sum = (uint16_t)~fold(sum_words(ip, cut->transport_at - cut->ip_at));
  memcpy(ip + 10, &sum, 2);
}

static void fix_transport(const struct cut *cut, uint32_t index, uint8_t *headers, size_t length) {
  uint8_t *transport = headers + cut->transport_at;
  if (!cut->is_tcp) {
    put16(transport + 4, (uint32_t)(length - cut->transport_at));
    return;
  }
  put32(transport + 4, get32(transport + 4) + index * (uint32_t)cut->size);
  if (index + 1 < cut->count) transport[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
  if (index > 0) transport[13] &= (uint8_t)~TCP_CWR;
}

/* Packet `index`: its headers to `headers`, its ranges to `parts` behind them. Answers how many ranges. */
static int make_packet(const struct outgoing *frame, uint32_t index, uint8_t *headers, struct iovec *parts) {
  const struct cut *cut = &frame->cut;
  size_t from = cut->payload_at + index * cut->size;
  size_t payload = frame->length - from < cut->size ? frame->length - from : cut->size;
  size_t length = cut->payload_at + payload;
  memcpy(headers, cut->headers, cut->payload_at);
  parts[0].iov_base = headers;
  parts[0].iov_len = cut->payload_at;
  int count = 1 + slice(frame, from, payload, parts + 1);

  bool is_cut = frame->header.gso_type != VIRTIO_NET_HDR_GSO_NONE;
  uint64_t sum = 0;
  uint8_t *field = headers + cut->transport_at + frame->header.csum_offset;
  if (is_cut) {
    fix_network(cut, index, headers, length);
    fix_transport(cut, index, headers, length);
    uint8_t covered[2];
    put16(covered, (uint32_t)(length - cut->transport_at));
    sum = cut->pseudo_sum + sum_words(covered, 2);
    memset(field, 0, 2);
  }
  size_t summed = cut->payload_at - cut->transport_at;
  sum = add_sum(sum, 0, headers + cut->transport_at, summed);
  sum = sum_ranges(sum, summed, parts + 1, count - 1);
  uint16_t value = (uint16_t)~fold(sum);
  /* Zero would mean "none" in UDP (RFC 768). Elsewhere it is what the sum comes to, and 0xffff never is (RFC 1624 §3). */
  if (value == 0 && frame->header.csum_offset == UDP_CHECKSUM) value = 0xffff;
  memcpy(field, &value, 2);
  return count;
}

int write_cut(struct device *device, const struct outgoing *frame) {
  static const struct virtio_net_hdr plain;
  uint8_t headers[CUT_HEADERS];
  struct iovec parts[2 + FRAME_RANGES];
  const int lead = device->has_vnet_header ? 1 : 0;
  parts[0].iov_base = (void *)&plain;
  parts[0].iov_len = sizeof plain;
  /* A device that filled up in the midst of this frame has the packets before. */
  uint32_t index = device->cut_done < frame->cut.count ? device->cut_done : 0;
  for (; index < frame->cut.count; index++) {
    int error = write_ranges(device, parts, lead + make_packet(frame, index, headers, parts + lead));
    device->cut_done = error == 0 ? 0 : index;
    if (error != 0) return error;
  }
  return 0;
}
