/*
 * Requests to the kernel's route tables (rtnetlink): built in a small buffer, sent, and answered before send returns.
 */
#include "winsockd.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* What the kernel puts into one datagram of a dump, at most (it caps its own at 32 KB). */
#define ANSWER_ROOM 32768
/* A dump of one interface's addresses is a handful of datagrams; a bound for a kernel that never says "done". */
#define MAX_ANSWERS 4096

/* Starts a request; answers its fixed part, `body` bytes of zeros. */
void *request_begin(struct request *request, uint16_t type, uint16_t flags, size_t body) {
  memset(request, 0, sizeof *request);
  struct nlmsghdr *header = (struct nlmsghdr *)request->bytes;
  header->nlmsg_len = NLMSG_LENGTH(body);
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST | flags;
  return NLMSG_DATA(header);
}

/* Adds an attribute. The buffer is larger than any request that this addon makes: lengths are the caller's constants. */
void request_attribute(struct request *request, uint16_t type, const void *data, size_t length) {
  struct nlmsghdr *header = (struct nlmsghdr *)request->bytes;
  size_t at = NLMSG_ALIGN(header->nlmsg_len);
  if (at + RTA_SPACE(length) > sizeof request->bytes) return;
  struct rtattr *attribute = (struct rtattr *)(request->bytes + at);
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), data, length);
  header->nlmsg_len = (uint32_t)(at + RTA_LENGTH(length));
}

static int send_request(struct device *device, struct request *request) {
  struct nlmsghdr *header = (struct nlmsghdr *)request->bytes;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  header->nlmsg_seq = ++device->sequence;
  ssize_t sent;
  do {
    sent = sendto(device->netlink, header, header->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

/* One datagram that the kernel sent. Answers its length or minus an errno. */
static ssize_t receive_answer(struct device *device, void *into, size_t room) {
  struct sockaddr_nl sender;
  ssize_t length;
  do {
    socklen_t sender_length = sizeof sender;
    length = recvfrom(device->netlink, into, room, MSG_TRUNC, (struct sockaddr *)&sender, &sender_length);
    /* Other processes can send to a netlink socket too; only the kernel has port 0. */
  } while ((length < 0 && errno == EINTR) || (length >= 0 && sender.nl_pid != 0));
  if (length < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
  return (size_t)length > room ? -EMSGSIZE : length;
}

/*
 * Sends a request and reads its answers: each message goes to `visit` (which may be NULL) until the kernel acknowledges,
 * reports an error or ends a dump. A request needs NLM_F_ACK or NLM_F_DUMP, so that there is an end.
 */
int request_send(struct device *device, struct request *request, netlink_visitor visit, void *context) {
  _Alignas(8) static _Thread_local uint8_t answer[ANSWER_ROOM];
  int error = send_request(device, request);
  for (int i = 0; error == 0 && i < MAX_ANSWERS; i++) {
    ssize_t received = receive_answer(device, answer, sizeof answer);
    if (received < 0) return (int)-received;
    size_t left = (size_t)received;
    const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
    for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != device->sequence) continue; /* Of a request that timed out before. */
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) {
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return EPROTO;
        return -((const struct nlmsgerr *)NLMSG_DATA(message))->error;
      }
      if (visit != NULL && !visit(message, context)) return EPROTO;
    }
  }
  return error != 0 ? error : EPROTO;
}
