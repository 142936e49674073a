/* lwip-tun: the peer of the benchmarks. Debian's liblwip0, with the options that Debian built it with, behind a TUN device
 * of our own: one thread, raw API, no offload headers (lwIP has no use for them).
 *
 *   lwip-tun DEVICE ADDRESS      (inside the network namespace; ADDRESS/24 is lwIP's own)
 *
 * Serves TCP ports 7 (echo), 9 (discard) and 19 (source), as every stack under test does. Prints READY. */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define DEVICE_MTU 1500
#define READS_A_TURN 64

static int device;
static struct netif netif;
static char source_bytes[65536];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static err_t device_output(struct netif *n, struct pbuf *p, const ip4_addr_t *to) {
  struct iovec parts[16];
  int count = 0;
  (void)n, (void)to;
  for (struct pbuf *q = p; q != NULL && count < 16; q = q->next) parts[count++] = (struct iovec){q->payload, q->len};
  return writev(device, parts, count) < 0 ? ERR_IF : ERR_OK;
}

static err_t device_init(struct netif *n) {
  n->name[0] = 't';
  n->name[1] = 'n';
  n->mtu = DEVICE_MTU;
  n->output = device_output;
  n->flags |= NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
  return ERR_OK;
}

static err_t end(struct tcp_pcb *pcb) {
  tcp_recv(pcb, NULL);
  tcp_sent(pcb, NULL);
  if (tcp_close(pcb) == ERR_OK) return ERR_OK;
  tcp_abort(pcb);
  return ERR_ABRT;
}

static err_t discard(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  (void)arg, (void)err;
  if (p == NULL) return end(pcb);
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  return ERR_OK;
}

static err_t echo(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  (void)arg, (void)err;
  if (p == NULL) return end(pcb);
  if (tcp_sndbuf(pcb) < p->tot_len) return ERR_MEM; /* lwIP offers it again */
  for (struct pbuf *q = p; q != NULL; q = q->next) tcp_write(pcb, q->payload, q->len, TCP_WRITE_FLAG_COPY);
  tcp_recved(pcb, p->tot_len);
  pbuf_free(p);
  tcp_output(pcb);
  return ERR_OK;
}

static err_t source(void *arg, struct tcp_pcb *pcb, u16_t acked) {
  (void)arg, (void)acked;
  for (;;) {
    u32_t room = tcp_sndbuf(pcb);
    if (room < TCP_MSS) break;
    if (room > sizeof source_bytes - 1) room = sizeof source_bytes - 1;
    if (tcp_write(pcb, source_bytes, (u16_t)room, 0) != ERR_OK) break; /* by reference: no copy */
  }
  tcp_output(pcb);
  return ERR_OK;
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err) {
  int port = (int)(intptr_t)arg;
  if (err != ERR_OK) return err;
  tcp_nagle_disable(pcb);
  tcp_recv(pcb, port == 7 ? echo : discard);
  if (port == 19) {
    tcp_sent(pcb, source);
    return source(NULL, pcb, 0);
  }
  return ERR_OK;
}

static void serve(int port) {
  struct tcp_pcb *pcb = tcp_new();
  if (pcb == NULL || tcp_bind(pcb, IP4_ADDR_ANY, (u16_t)port) != ERR_OK) fail("tcp_bind");
  pcb = tcp_listen_with_backlog(pcb, 255);
  tcp_arg(pcb, (void *)(intptr_t)port);
  tcp_accept(pcb, accepted);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0 || ioctl(device, TUNSETIFF, &request)) fail("TUNSETIFF");

  ip4_addr_t address, mask, gateway;
  if (!ip4addr_aton(argv[2], &address)) return 2;
  IP4_ADDR(&mask, 255, 255, 255, 0);
  ip4_addr_set_zero(&gateway);
  lwip_init();
  netif_add(&netif, &address, &mask, &gateway, NULL, device_init, ip_input);
  netif_set_default(&netif);
  netif_set_up(&netif);
  memset(source_bytes, 'x', sizeof source_bytes);
  serve(7), serve(9), serve(19);
  printf("READY\n");
  fflush(stdout);

  for (;;) {
    struct pollfd ready = {device, POLLIN, 0};
    u32_t wait = sys_timeouts_sleeptime();
    poll(&ready, 1, wait > 250 ? 250 : (int)wait);
    for (int i = 0; i < READS_A_TURN; i++) {
      struct pbuf *p = pbuf_alloc(PBUF_RAW, DEVICE_MTU, PBUF_RAM);
      if (p == NULL) break;
      struct iovec parts[16];
      int count = 0;
      for (struct pbuf *q = p; q != NULL && count < 16; q = q->next) parts[count++] = (struct iovec){q->payload, q->len};
      ssize_t length = readv(device, parts, count);
      if (length <= 0) {
        pbuf_free(p);
        break;
      }
      pbuf_realloc(p, (u16_t)length);
      if (netif.input(p, &netif) != ERR_OK) pbuf_free(p);
    }
    sys_check_timeouts();
  }
}
