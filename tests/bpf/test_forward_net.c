// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Services over a veth cable with real sockets, the kernel's own routes, partial checksums and
 * super-packets. The gateway has one arm: the other end of the cable is client and endpoint at once,
 * which translation of both addresses allows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "tests/lib/netpair.h"
#include "tests/lib/rig.h"
#include "util/addr.h"
#include "util/cleanup.h"

#define PORT 80
#define ENDPOINT_PORT 8080
#define BULK (8u << 20)
#define CHUNK 65536
#define WAIT_MS 10000
#define DATAGRAM 1000

#define TCX_INGRESS 46 /* newer than the headers that we build with */

#define VLAN 5
#define PEER_MAC "02:00:00:00:77:02"

static const struct family {
	const char *vip, *gateway, *peer;
} families[] = {
	{ "10.77.0.1", GATEWAY_V4, PEER_V4 },
	{ "fd77::1", GATEWAY_V6, PEER_V6 },
};

struct world {
	struct netpair net;
	struct rig *rig;
	int link;
	bool clsact;
};

static struct world world;

static void on_both(const char *program, const char *first, const char *second, const char *third)
{
	for (enum side side = 0; side < SIDES; side++) {
		netpair_enter(&world.net, side);
		netpair_run(program, first, second, third, NULL);
	}
}

/* XDP leaves no packet to the kernel for it to find out the peer's address. */
static void know_peer(const struct world *w)
{
	netpair_enter(&w->net, GATEWAY);
	for (size_t i = 0; i < 2; i++)
		netpair_run("ip", "neigh", "replace", families[i].peer, "lladdr", PEER_MAC, "dev",
			    GATEWAY_DEVICE, NULL);
}

static int group_setup(void **state)
{
	(void)state;
	netpair_up(&world.net);
	netpair_enter(&world.net, GATEWAY);
	netpair_run("sysctl", "-qw", "net.ipv4.ip_forward=1", NULL);
	netpair_run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", NULL);
	netpair_enter(&world.net, PEER);
	netpair_run("ip", "link", "set", PEER_DEVICE, "address", PEER_MAC, NULL);
	netpair_run("ip", "route", "add", "10.77.0.1", "via", GATEWAY_V4, NULL);
	netpair_run("ip", "route", "add", "fd77::1", "via", GATEWAY_V6, NULL);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	netpair_down(&world.net);
	return 0;
}

static void add_service(struct rig *rig, uint32_t id, const struct family *family,
			enum sl_proto proto)
{
	const struct rig_service service = { .addr = family->vip,
					     .port = PORT,
					     .proto = proto,
					     .method = SL_METHOD_NAT,
					     .none = SL_ACTION_DROP,
					     .flags = SL_SERVICE_SOURCE_NAT,
					     .slice = { .start = id * 8, .size = 8 } };

	rig_endpoint(rig, id, family->peer, ENDPOINT_PORT, proto);
	rig_source(rig, id, family->gateway, 1);
	rig_service(rig, id, &service);
	rig_select(rig, service.slice, &id, 1);
}

static void add_services(struct world *w)
{
	for (uint32_t i = 0; i < 2; i++) {
		add_service(w->rig, 2 * i, &families[i], SL_TCP);
		add_service(w->rig, 2 * i + 1, &families[i], SL_UDP);
	}
}

static int setup(void **state)
{
	struct world *w = *state = &world;

	w->rig = rig_new();
	w->link = -1;
	w->clsact = false;
	add_services(w);
	return 0;
}

static void attach_clsact(struct world *w)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)w->net.ifindex[GATEWAY],
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = rig_program_fd(w->rig, RIG_TC_INGRESS));
	int r;

	w->clsact = true;
	r = bpf_tc_hook_create(&hook);
	assert_true(!r || r == -EEXIST);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

static void attach_tc(struct world *w)
{
	netpair_enter(&w->net, GATEWAY);
	w->link = bpf_link_create(rig_program_fd(w->rig, RIG_TC_INGRESS),
				  (int)w->net.ifindex[GATEWAY], (enum bpf_attach_type)TCX_INGRESS,
				  NULL);
	if (w->link < 0)
		attach_clsact(w);
}

static void attach_xdp(struct world *w)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_SKB_MODE);

	netpair_enter(&w->net, GATEWAY);
	w->link = bpf_link_create(rig_program_fd(w->rig, RIG_XDP), (int)w->net.ifindex[GATEWAY],
				  BPF_XDP, &opts);
	assert_true(w->link >= 0);
}

static int teardown(void **state)
{
	struct world *w = *state;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)w->net.ifindex[GATEWAY],
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	close_p(&w->link);
	netpair_enter(&w->net, GATEWAY);
	if (w->clsact)
		bpf_tc_hook_destroy(&hook);
	rig_free(w->rig);
	return 0;
}

static socklen_t sockaddr_of(struct sockaddr_storage *ss, const char *text, uint16_t port)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr_to_sockaddr(ss, &addr, port);
}

static int peer_socket(const struct world *w, int type, const char *addr)
{
	int fd;

	netpair_enter(&w->net, PEER);
	fd = socket(strchr(addr, ':') ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	return fd;
}

static int bound(const struct world *w, int type, const char *addr)
{
	int fd = peer_socket(w, type, addr), yes = 1;
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of(&ss, addr, ENDPOINT_PORT);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
}

static void wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	if (poll(&pfd, 1, WAIT_MS) != 1)
		fail_msg("nothing came");
}

static int connected(const struct world *w, int type, const char *addr)
{
	int fd = peer_socket(w, type, addr);
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of(&ss, addr, PORT);

	if (connect(fd, (struct sockaddr *)&ss, len) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* Move so many bytes from one socket to the other, and see that they are the same. */
static void pump(int from, int to, size_t bytes)
{
	static uint8_t out[CHUNK], in[CHUNK];
	size_t sent = 0, received = 0;

	for (size_t i = 0; i < CHUNK; i++)
		out[i] = (uint8_t)(i * 7 + i / 256);
	while (received < bytes) {
		struct pollfd pfds[] = { { .fd = from, .events = sent < bytes ? POLLOUT : 0 },
					 { .fd = to, .events = POLLIN } };
		size_t at = sent % CHUNK;
		ssize_t n;

		if (poll(pfds, 2, WAIT_MS) < 1)
			fail_msg("stalled after %zu of %zu bytes", received, bytes);
		if (sent < bytes && pfds[0].revents & POLLOUT) {
			n = send(from, out + at,
				 CHUNK - at < bytes - sent ? CHUNK - at : bytes - sent,
				 MSG_NOSIGNAL);
			assert_true(n > 0 || errno == EAGAIN);
			sent += n > 0 ? (size_t)n : 0;
		}
		if (!(pfds[1].revents & POLLIN))
			continue;
		n = recv(to, in, CHUNK - received % CHUNK, 0);
		assert_true(n > 0);
		assert_memory_equal(in, out + received % CHUNK, (size_t)n);
		received += (size_t)n;
	}
}

static void check_stream(const struct world *w, const struct family *family, const char *endpoint)
{
	CLEANUP(close_p) int listener = bound(w, SOCK_STREAM, endpoint);
	CLEANUP(close_p) int client = connected(w, SOCK_STREAM, family->vip);
	CLEANUP(close_p) int server = -1;

	wait_for(listener, POLLIN);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(server >= 0);
	pump(client, server, BULK);
	pump(server, client, BULK);
}

static void check_datagrams(const struct world *w, const struct family *family,
			    const char *endpoint)
{
	CLEANUP(close_p) int server = bound(w, SOCK_DGRAM, endpoint);
	CLEANUP(close_p) int client = connected(w, SOCK_DGRAM, family->vip);
	static const char datagram[DATAGRAM] = "?";
	char buf[DATAGRAM + 1];

	for (int i = 0; i < 3; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);

		assert_int_equal(send(client, datagram, DATAGRAM, 0), DATAGRAM);
		wait_for(server, POLLIN);
		assert_int_equal(
			recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len),
			DATAGRAM);
		assert_int_equal(sendto(server, datagram, DATAGRAM, 0, (struct sockaddr *)&ss, len),
				 DATAGRAM);
		wait_for(client, POLLIN);
		assert_int_equal(recv(client, buf, sizeof(buf), 0), DATAGRAM);
	}
}

static void check_traffic(const struct world *w)
{
	struct sl_decision_counts before, after;

	rig_decisions(w->rig, &before);
	for (size_t i = 0; i < 2; i++) {
		const char *endpoint = families[i].peer;

		check_stream(w, &families[i], endpoint);
		check_datagrams(w, &families[i], endpoint);
	}
	rig_decisions(w->rig, &after);
	assert_true(after.forward_nat - before.forward_nat > 100);
	assert_true(after.forward_reply - before.forward_reply > 100);
	for (enum side side = 0; side < SIDES; side++)
		assert_int_equal(netpair_checksum_errors(&w->net, side), 0);
}

/* With all offloads on, and next hops whose addresses nobody knows yet. */
static void test_tc(void **state)
{
	struct sl_decision_counts counts;

	attach_tc(*state);
	on_both("ip", "neigh", "flush", "all");
	check_traffic(*state);
	rig_decisions(world.rig, &counts);
	assert_int_equal(counts.drop_no_route, 0);
}

/* The gateway's device cannot complete checksums: the kernel does, from what we left in the field. */
static void test_tc_completed_in_software(void **state)
{
	attach_tc(*state);
	netpair_enter(&world.net, GATEWAY);
	netpair_run("ethtool", "-K", GATEWAY_DEVICE, "tx", "off", NULL);
	check_traffic(*state);
	netpair_enter(&world.net, GATEWAY);
	netpair_run("ethtool", "-K", GATEWAY_DEVICE, "tx", "on", "tso", "on", NULL);
}

static void test_tc_full_checksums(void **state)
{
	attach_tc(*state);
	netpair_enter(&world.net, PEER);
	netpair_run("ethtool", "-K", PEER_DEVICE, "tx", "off", NULL);
	check_traffic(*state);
	netpair_enter(&world.net, PEER);
	netpair_run("ethtool", "-K", PEER_DEVICE, "tx", "on", "tso", "on", NULL);
}

/* On a real wire checksums are complete. */
static void test_xdp(void **state)
{
	attach_xdp(*state);
	netpair_enter(&world.net, PEER);
	netpair_run("ethtool", "-K", PEER_DEVICE, "tx", "off", NULL);
	know_peer(&world);
	check_traffic(*state);
	netpair_enter(&world.net, PEER);
	netpair_run("ethtool", "-K", PEER_DEVICE, "tx", "on", "tso", "on", NULL);
}

/* A way narrower than the cable: both senders are told, and listen. */
static void test_narrow(void **state)
{
	struct sl_decision_counts counts;
	struct sl_meta meta = rig_default_meta();

	netpair_enter(&world.net, GATEWAY);
	netpair_run("ip", "route", "add", PEER_V4, "dev", GATEWAY_DEVICE, "mtu", "lock", "1280",
		    NULL);
	netpair_run("ip", "route", "add", PEER_V6, "dev", GATEWAY_DEVICE, "mtu", "lock", "1280",
		    NULL);
	meta.route_epoch = 1;
	rig_meta(world.rig, &meta);
	attach_tc(*state);
	check_traffic(*state);
	rig_decisions(world.rig, &counts);
	assert_true(counts.answer_too_big >= 4);
	netpair_enter(&world.net, GATEWAY);
	netpair_run("ip", "route", "del", PEER_V4, "dev", GATEWAY_DEVICE, NULL);
	netpair_run("ip", "route", "del", PEER_V6, "dev", GATEWAY_DEVICE, NULL);
	on_both("ip", "route", "flush", "cache");
}

/* The tag that the next packet to an endpoint arrives under; fd sees all that the peer receives. */
static int next_tag(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	uint8_t frame[2048];
	struct iovec iov = { .iov_base = frame, .iov_len = sizeof(frame) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct tpacket_auxdata aux;

	wait_for(fd, POLLIN);
	assert_true(recvmsg(fd, &msg, 0) > 0);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
	return aux.tp_status & TP_STATUS_VLAN_VALID ? aux.tp_vlan_tci : 0;
}

static int sniffer(const struct world *w)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)w->net.ifindex[PEER] };
	int fd, yes = 1;

	netpair_enter(&w->net, PEER);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* What a VLAN device stands for is a tag; here the device itself is made to stand for one. */
static void test_tag(void **state)
{
	struct world *w = *state;
	const struct sl_device device = { .ifindex = w->net.ifindex[GATEWAY],
					  .vlan = VLAN,
					  .vlan_proto = ETH_P_8021Q };

	attach_tc(w);
	know_peer(w);
	rig_device(w->rig, device.ifindex, device);
	for (size_t i = 0; i < 2; i++) {
		CLEANUP(close_p) int client = connected(w, SOCK_DGRAM, families[i].vip);
		CLEANUP(close_p) int sniff = -1;

		sniff = sniffer(w);
		assert_int_equal(send(client, "?", 1, 0), 1);
		assert_int_equal(next_tag(sniff), VLAN);
	}
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_tc),
		row(test_tc_completed_in_software),
		row(test_tc_full_checksums),
		row(test_xdp),
		row(test_tag),
		row(test_narrow),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
