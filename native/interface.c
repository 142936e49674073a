/*
 * The interface behind a device: flags, MTU, queue length, hardware address, addresses and routes, in the namespace
 * where it lives. The interface is named by its index, which survives a rename.
 */
#include "winsockd.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* More addresses than one interface has in any sane set-up; the rest is not listed. */
#define MAX_ADDRESSES 256

struct interface {
  int index;
  unsigned flags;
  uint32_t mtu;
  uint32_t queue_length;
  uint8_t mac[6];
  bool has_mac;
};

static uint32_t attribute_u32(const struct rtattr *attribute) {
  uint32_t value = 0;
  if (RTA_PAYLOAD(attribute) >= sizeof value) memcpy(&value, RTA_DATA(attribute), sizeof value);
  return value;
}

static bool read_interface(const struct nlmsghdr *message, void *context) {
  struct interface *out = context;
  if (message->nlmsg_type != RTM_NEWLINK) return true;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg))) return false;
  const struct ifinfomsg *info = NLMSG_DATA(message);
  out->index = info->ifi_index;
  out->flags = info->ifi_flags;
  int left = (int)IFLA_PAYLOAD(message);
  for (const struct rtattr *at = IFLA_RTA(info); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    if (at->rta_type == IFLA_MTU) out->mtu = attribute_u32(at);
    if (at->rta_type == IFLA_TXQLEN) out->queue_length = attribute_u32(at);
    if (at->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(at) == sizeof out->mac) {
      memcpy(out->mac, RTA_DATA(at), sizeof out->mac);
      out->has_mac = true;
    }
  }
  return true;
}

/* By name when `by_name`, else by the index that is known. */
static int query_interface(struct device *device, bool by_name, struct interface *out) {
  struct request request;
  struct ifinfomsg *body = request_begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof *body);
  memset(out, 0, sizeof *out);
  if (by_name) {
    request_attribute(&request, IFLA_IFNAME, device->name, strlen(device->name) + 1);
  } else if (device->ifindex == 0) {
    return ENODEV;
  } else {
    body->ifi_index = device->ifindex;
  }
  return request_send(device, &request, read_interface, out);
}

int find_interface(struct device *device) {
  struct interface found;
  int error = query_interface(device, true, &found);
  if (error == 0) device->ifindex = found.index;
  return error;
}

/* getInterface(device): { flags, mtu, queueLength, mac } */
napi_value get_interface(napi_env env, napi_callback_info info) {
  napi_value argv[1], result, none;
  struct device *device;
  struct interface found;
  if (!arg_list(env, info, 1, argv) || !arg_device(env, argv[0], &device)) return NULL;
  int error = query_interface(device, false, &found);
  if (error != 0) return throw_errno(env, error, "RTM_GETLINK");
  if (napi_create_object(env, &result) != napi_ok || napi_get_null(env, &none) != napi_ok) return NULL;
  set_property(env, result, "isUp", none);
  napi_value is_up;
  if (napi_get_boolean(env, (found.flags & IFF_UP) != 0, &is_up) == napi_ok) {
    set_property(env, result, "isUp", is_up);
  }
  set_property(env, result, "mtu", make_u32(env, found.mtu));
  set_property(env, result, "queueLength", make_u32(env, found.queue_length));
  set_property(env, result, "mac", found.has_mac ? make_bytes(env, found.mac, sizeof found.mac) : none);
  return result;
}

/*
 * setInterface(device, isUp | null, mtu | null, queueLength | null, mac | null): changes what is not null, in one
 * request, so that all of it happens or none.
 */
napi_value set_interface(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  struct device *device;
  bool is_up;
  uint32_t number;
  struct bytes mac;
  struct request request;
  if (!arg_list(env, info, 5, argv) || !arg_device(env, argv[0], &device)) return NULL;
  struct ifinfomsg *body = request_begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof *body);
  if (device->ifindex == 0) return throw_errno(env, ENODEV, "RTM_NEWLINK");
  body->ifi_index = device->ifindex;
  if (!is_null(env, argv[1])) {
    if (!arg_bool(env, argv[1], &is_up)) return NULL;
    body->ifi_change = IFF_UP;
    body->ifi_flags = is_up ? IFF_UP : 0;
  }
  if (!is_null(env, argv[2])) {
    if (!arg_u32(env, argv[2], &number)) return NULL;
    request_attribute(&request, IFLA_MTU, &number, sizeof number);
  }
  if (!is_null(env, argv[3])) {
    if (!arg_u32(env, argv[3], &number)) return NULL;
    request_attribute(&request, IFLA_TXQLEN, &number, sizeof number);
  }
  if (!is_null(env, argv[4])) {
    if (!arg_bytes(env, argv[4], &mac)) return NULL;
    if (mac.length != 6) return throw_range(env, "a hardware address has six bytes");
    request_attribute(&request, IFLA_ADDRESS, mac.data, mac.length);
  }
  int error = request_send(device, &request, NULL, NULL);
  return error == 0 ? NULL : throw_errno(env, error, "RTM_NEWLINK");
}

/* The family of an address by its length; 0 when it is none. */
static uint8_t family_of(size_t length) { return length == 4 ? AF_INET : length == 16 ? AF_INET6 : 0; }

/* An address and its prefix length from two arguments. False: it has thrown. */
static bool arg_prefix(napi_env env, const napi_value *argv, struct bytes *address, uint32_t *length) {
  if (!arg_bytes(env, argv[0], address) || !arg_u32(env, argv[1], length)) return false;
  if (family_of(address->length) == 0 || *length > address->length * 8) {
    throw_range(env, "an address has 4 or 16 bytes, and a prefix no more bits than it");
    return false;
  }
  return true;
}

/* changeAddress(device, isAdd, address, prefixLength) */
napi_value change_address(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  struct device *device;
  bool is_add;
  struct bytes address;
  uint32_t prefix;
  struct request request;
  if (!arg_list(env, info, 4, argv) || !arg_device(env, argv[0], &device) || !arg_bool(env, argv[1], &is_add) ||
      !arg_prefix(env, argv + 2, &address, &prefix)) {
    return NULL;
  }
  if (device->ifindex == 0) return throw_errno(env, ENODEV, "RTM_NEWADDR");
  uint16_t flags = NLM_F_ACK | (is_add ? NLM_F_CREATE | NLM_F_EXCL : 0);
  struct ifaddrmsg *body = request_begin(&request, is_add ? RTM_NEWADDR : RTM_DELADDR, flags, sizeof *body);
  body->ifa_family = family_of(address.length);
  body->ifa_prefixlen = (uint8_t)prefix;
  body->ifa_index = (uint32_t)device->ifindex;
  request_attribute(&request, IFA_LOCAL, address.data, address.length);
  request_attribute(&request, IFA_ADDRESS, address.data, address.length);
  if (is_add && address.length == 4 && prefix < 31) {
    uint8_t broadcast[4];
    for (uint32_t bit = 0; bit < 32; bit++) {
      if (bit % 8 == 0) broadcast[bit / 8] = address.data[bit / 8];
      if (bit >= prefix) broadcast[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
    }
    request_attribute(&request, IFA_BROADCAST, broadcast, sizeof broadcast);
  }
  int error = request_send(device, &request, NULL, NULL);
  return error == 0 ? NULL : throw_errno(env, error, is_add ? "RTM_NEWADDR" : "RTM_DELADDR");
}

struct address_list {
  napi_env env;
  napi_value array;
  uint32_t count;
  int ifindex;
};

static bool collect_address(const struct nlmsghdr *message, void *context) {
  struct address_list *list = context;
  if (message->nlmsg_type != RTM_NEWADDR) return true;
  if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifaddrmsg))) return false;
  const struct ifaddrmsg *body = NLMSG_DATA(message);
  if ((int)body->ifa_index != list->ifindex || list->count >= MAX_ADDRESSES) return true;
  /* With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL ours; IPv6 without a peer has only IFA_ADDRESS. */
  const struct rtattr *own = NULL;
  int left = (int)IFA_PAYLOAD(message);
  for (const struct rtattr *at = IFA_RTA(body); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    if (at->rta_type == IFA_LOCAL || (at->rta_type == IFA_ADDRESS && own == NULL)) own = at;
  }
  napi_value entry;
  if (own == NULL || family_of(RTA_PAYLOAD(own)) == 0 || napi_create_object(list->env, &entry) != napi_ok) return true;
  set_property(list->env, entry, "address", make_bytes(list->env, RTA_DATA(own), RTA_PAYLOAD(own)));
  set_property(list->env, entry, "prefixLength", make_u32(list->env, body->ifa_prefixlen));
  napi_set_element(list->env, list->array, list->count++, entry);
  return true;
}

/* listAddresses(device): [{ address, prefixLength }] in the kernel's order. */
napi_value list_addresses(napi_env env, napi_callback_info info) {
  napi_value argv[1], array;
  struct device *device;
  struct request request;
  if (!arg_list(env, info, 1, argv) || !arg_device(env, argv[0], &device)) return NULL;
  if (device->ifindex == 0) return throw_errno(env, ENODEV, "RTM_GETADDR");
  if (napi_create_array(env, &array) != napi_ok) return NULL;
  struct address_list list = {env, array, 0, device->ifindex};
  struct ifaddrmsg *body = request_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof *body);
  body->ifa_family = AF_UNSPEC;
  int error = request_send(device, &request, collect_address, &list);
  return error == 0 ? array : throw_errno(env, error, "RTM_GETADDR");
}

/* changeRoute(device, isAdd, destination, prefixLength, gateway | null, metric): in the main table, through the device. */
napi_value change_route(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  struct device *device;
  bool is_add;
  struct bytes destination, gateway = {NULL, 0};
  uint32_t prefix, metric;
  struct request request;
  if (!arg_list(env, info, 6, argv) || !arg_device(env, argv[0], &device) || !arg_bool(env, argv[1], &is_add) ||
      !arg_prefix(env, argv + 2, &destination, &prefix) || !arg_u32(env, argv[5], &metric)) {
    return NULL;
  }
  bool has_gateway = !is_null(env, argv[4]);
  if (has_gateway && !arg_bytes(env, argv[4], &gateway)) return NULL;
  if (has_gateway && gateway.length != destination.length) return throw_range(env, "the gateway is of another family");
  if (device->ifindex == 0) return throw_errno(env, ENODEV, "RTM_NEWROUTE");

  uint16_t flags = NLM_F_ACK | (is_add ? NLM_F_CREATE | NLM_F_EXCL : 0);
  struct rtmsg *body = request_begin(&request, is_add ? RTM_NEWROUTE : RTM_DELROUTE, flags, sizeof *body);
  body->rtm_family = family_of(destination.length);
  body->rtm_dst_len = (uint8_t)prefix;
  body->rtm_table = RT_TABLE_MAIN;
  body->rtm_scope = is_add ? (has_gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK) : RT_SCOPE_NOWHERE;
  body->rtm_type = is_add ? RTN_UNICAST : RTN_UNSPEC;
  body->rtm_protocol = is_add ? RTPROT_STATIC : RTPROT_UNSPEC;
  request_attribute(&request, RTA_DST, destination.data, destination.length);
  request_attribute(&request, RTA_OIF, &device->ifindex, sizeof device->ifindex);
  if (has_gateway) request_attribute(&request, RTA_GATEWAY, gateway.data, gateway.length);
  if (metric != 0) request_attribute(&request, RTA_PRIORITY, &metric, sizeof metric);
  int error = request_send(device, &request, NULL, NULL);
  return error == 0 ? NULL : throw_errno(env, error, is_add ? "RTM_NEWROUTE" : "RTM_DELROUTE");
}
