// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real sockets over a veth cable, whose packets have the partial checksums and the super-packets
 * that BPF_PROG_TEST_RUN cannot make. Nothing is set with ethtool but where a test says so.
 *
 * Servers listen on all that is guarded: a connection that is refused was refused by the gate.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
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
#include "util/clock.h"

#define PORT 8080
#define DEAF_PORT 8081 /* nobody listens */
#define AT_ONCE_MS 900 /* before TCP repeats a SYN */
#define POLL_MS 1
#define DATAGRAM_LEN 1000
#define DATA_LEN 65536

#define TCX_INGRESS 46 /* newer than the headers that we build with */
#define TCX_EGRESS 47

enum endpoint { AT_GATEWAY4, AT_GATEWAY6, AT_PEER4, AT_PEER6, ENDPOINTS };

static const char *const addresses[ENDPOINTS] = { GATEWAY_V4, GATEWAY_V6, PEER_V4, PEER_V6 };

#define CLOSED ((struct sl_word){ .health = SL_UNHEALTHY, .action = SL_ACTION_REJECT })
#define OPEN ((struct sl_word){ .health = SL_HEALTHY })

struct world {
	struct netpair net;
	struct rig *rig;
	int links[2];
	bool clsact;
	int listeners[ENDPOINTS], receivers[ENDPOINTS];
};

static int new_socket(const struct world *w, enum side side, int type, const char *addr)
{
	int fd;

	netpair_enter(&w->net, side);
	fd = socket(strchr(addr, ':') ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	return fd;
}

static socklen_t sockaddr_of(struct sockaddr_storage *ss, const char *text, uint16_t port)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr_to_sockaddr(ss, &addr, port);
}

static int server(const struct world *w, enum side side, int type, const char *addr)
{
	int fd = new_socket(w, side, type, addr);
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of(&ss, addr, PORT);

	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, SOMAXCONN), 0);
	return fd;
}

static void set_words(const struct world *w, struct sl_word word)
{
	for (uint32_t id = 0; id < ENDPOINTS; id++)
		rig_word(w->rig, id, word);
}

static struct world world;

/* The cable is laid once: the kernel takes a second to notice it. */
static int group_setup(void **state)
{
	(void)state;
	netpair_up(&world.net);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	netpair_down(&world.net);
	return 0;
}

static int setup(void **state)
{
	struct world *w = *state = &world;

	w->rig = rig_new();
	w->links[0] = w->links[1] = -1;
	w->clsact = false;
	for (uint32_t id = 0; id < ENDPOINTS; id++) {
		enum side side = id < AT_PEER4 ? GATEWAY : PEER;

		rig_endpoint(w->rig, id, addresses[id], PORT, SL_TCP);
		rig_endpoint(w->rig, id, addresses[id], PORT, SL_UDP);
		rig_endpoint(w->rig, id, addresses[id], DEAF_PORT, SL_UDP);
		w->listeners[id] = server(w, side, SOCK_STREAM, addresses[id]);
		w->receivers[id] = server(w, side, SOCK_DGRAM, addresses[id]);
	}
	set_words(w, CLOSED);
	return 0;
}

static int attach_link(const struct world *w, enum rig_program program, int type)
{
	netpair_enter(&w->net, GATEWAY);
	return bpf_link_create(rig_program_fd(w->rig, program), (int)w->net.ifindex[GATEWAY],
			       (enum bpf_attach_type)type, NULL);
}

/* Kernels before 6.6 have no tcx; their filters go with the device's clsact queue. */
static void attach_clsact(const struct world *w, enum rig_program program,
			  enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)w->net.ifindex[GATEWAY],
		    .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = rig_program_fd(w->rig, program));
	int r;

	r = bpf_tc_hook_create(&hook);
	if (r && r != -EEXIST)
		fail_msg("clsact: %s", strerror(-r));
	r = bpf_tc_attach(&hook, &opts);
	if (r)
		fail_msg("attach %s: %s", rig_program_name(program), strerror(-r));
}

static void detach(const struct world *w)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)w->net.ifindex[GATEWAY],
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	for (int i = 0; i < 2; i++)
		close_p(&w->links[i]);
	netpair_enter(&w->net, GATEWAY);
	if (w->clsact)
		bpf_tc_hook_destroy(&hook);
}

static int teardown(void **state)
{
	struct world *w = *state;

	detach(w);
	for (uint32_t id = 0; id < ENDPOINTS; id++) {
		close(w->listeners[id]);
		close(w->receivers[id]);
	}
	rig_free(w->rig);
	return 0;
}

static void attach_ingress(struct world *w)
{
	w->links[0] = attach_link(w, RIG_TC_INGRESS, TCX_INGRESS);
	w->clsact = w->links[0] < 0;
	if (w->clsact)
		attach_clsact(w, RIG_TC_INGRESS, BPF_TC_INGRESS);
}

static void attach_tc(struct world *w)
{
	attach_ingress(w);
	if (w->clsact)
		attach_clsact(w, RIG_TC_EGRESS, BPF_TC_EGRESS);
	else
		w->links[1] = attach_link(w, RIG_TC_EGRESS, TCX_EGRESS);
}

static int wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, AT_ONCE_MS);
}

/* Wait until the gate has passed a packet of an established flow at a closed gate. */
static void wait_established(const struct world *w, uint64_t before)
{
	struct sl_decision_counts counts;

	for (int ms = 0; ms < AT_ONCE_MS; ms += POLL_MS) {
		rig_decisions(w->rig, &counts);
		if (counts.pass_established > before)
			return;
		poll(NULL, 0, POLL_MS);
	}
	fail_msg("no packet of the established flow passed");
}

static int socket_error(int fd)
{
	socklen_t len = sizeof(int);
	int error;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

/* Connect; returns 0 or the errno that came at once, ETIMEDOUT if nothing came at once. */
static int try_connect(int fd, const char *addr, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of(&ss, addr, port);

	if (!connect(fd, (struct sockaddr *)&ss, len))
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	return wait_for(fd, POLLOUT) ? socket_error(fd) : ETIMEDOUT;
}

/* Send one datagram on a connected socket; returns the errno that came back at once, or 0. */
static int try_send(int fd, const char *addr, uint16_t port)
{
	static const char datagram[DATAGRAM_LEN];
	struct sockaddr_storage ss;
	socklen_t len = sockaddr_of(&ss, addr, port);

	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(send(fd, datagram, sizeof(datagram), 0), sizeof(datagram));
	return wait_for(fd, POLLIN) ? socket_error(fd) : 0;
}

/* IP options or an extension header for all that the socket sends: four NOPs, or padding. */
static void add_options(int fd, bool v6)
{
	static const uint8_t nops[4] = { 1, 1, 1, 1 }, destination[8] = { 0, 0, 1, 4 };
	int r;

	if (v6)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, destination, sizeof(destination));
	else
		r = setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops));
	assert_int_equal(r, 0);
}

/* Everything towards one endpoint is refused at once, by either protocol, with or without options. */
static void check_refused(const struct world *w, enum side from, enum endpoint to)
{
	bool v6 = strchr(addresses[to], ':');

	for (int options = 0; options < 2; options++) {
		CLEANUP(close_p) int tcp = new_socket(w, from, SOCK_STREAM, addresses[to]);
		CLEANUP(close_p) int udp = new_socket(w, from, SOCK_DGRAM, addresses[to]);

		if (options) {
			add_options(tcp, v6);
			add_options(udp, v6);
		}
		assert_int_equal(try_connect(tcp, addresses[to], PORT), ECONNREFUSED);
		assert_int_equal(try_send(udp, addresses[to], PORT), ECONNREFUSED);
	}
}

static void check_both(const struct world *w, enum side from, enum endpoint v4, enum endpoint v6)
{
	struct sl_decision_counts before, after;

	rig_decisions(w->rig, &before);
	check_refused(w, from, v4);
	check_refused(w, from, v6);
	rig_decisions(w->rig, &after);
	assert_int_equal(after.reject_tcp - before.reject_tcp, 4);
	assert_int_equal(after.reject_udp - before.reject_udp, 4);
	assert_int_equal(after.drop_no_reply, before.drop_no_reply);
	for (enum side side = 0; side < SIDES; side++)
		assert_int_equal(netpair_checksum_errors(&w->net, side), 0);
}

/* What the host itself sends to a closed endpoint is refused at once. */
static void test_egress(void **state)
{
	struct world *w = *state;

	attach_tc(w);
	check_both(w, GATEWAY, AT_PEER4, AT_PEER6);
}

/* What the other end of the cable sends: its kernel leaves the checksums to a device. */
static void test_ingress(void **state)
{
	struct world *w = *state;

	attach_tc(w);
	check_both(w, PEER, AT_GATEWAY4, AT_GATEWAY6);
}

/* Our device cannot complete checksums: the kernel does when the reply leaves. */
static void test_ingress_completed_in_software(void **state)
{
	struct world *w = *state;

	attach_tc(w);
	netpair_enter(&w->net, GATEWAY);
	netpair_run("ethtool", "-K", GATEWAY_DEVICE, "tx", "off", NULL);
	check_both(w, PEER, AT_GATEWAY4, AT_GATEWAY6);
	netpair_enter(&w->net, GATEWAY);
	netpair_run("ethtool", "-K", GATEWAY_DEVICE, "tx", "on", NULL);
}

/* The sender completes its checksums itself, as all do whose packets come over a real wire. */
static void test_ingress_with_full_checksums(void **state)
{
	struct world *w = *state;

	attach_tc(w);
	netpair_enter(&w->net, PEER);
	netpair_run("ethtool", "-K", PEER_DEVICE, "tx", "off", NULL);
	check_both(w, PEER, AT_GATEWAY4, AT_GATEWAY6);
	netpair_enter(&w->net, PEER);
	netpair_run("ethtool", "-K", PEER_DEVICE, "tx", "on", NULL);
}

/* The daemon's own connections get through a closed gate, and are not counted for the endpoint. */
static void test_probe_mark(void **state)
{
	struct world *w = *state;
	struct sl_decision_counts counts;
	uint32_t mark = SL_PROBE_MARK;

	attach_tc(w);
	for (enum endpoint to = AT_PEER4; to <= AT_PEER6; to++) {
		CLEANUP(close_p) int fd = new_socket(w, GATEWAY, SOCK_STREAM, addresses[to]);

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
		assert_int_equal(try_connect(fd, addresses[to], PORT), 0);
	}
	rig_decisions(w->rig, &counts);
	assert_true(counts.pass_probe >= 4);
	assert_int_equal(counts.reject_tcp, 0);
}

/* A flow that was open before the gate closed, with super-packets in flight, is reset. */
static void check_reset(struct world *w, enum side from, enum endpoint to)
{
	static const char data[DATA_LEN];
	CLEANUP(close_p) int fd = new_socket(w, from, SOCK_STREAM, addresses[to]);
	struct sl_decision_counts counts;
	struct sl_word word = CLOSED;

	set_words(w, OPEN);
	assert_int_equal(try_connect(fd, addresses[to], PORT), 0);
	assert_true(send(fd, data, sizeof(data), 0) > 0);

	set_words(w, word);
	rig_decisions(w->rig, &counts);
	assert_true(send(fd, data, DATAGRAM_LEN, 0) > 0);
	wait_established(w, counts.pass_established);
	assert_int_equal(socket_error(fd), 0);

	word.flags = SL_WORD_RESET;
	set_words(w, word);
	send(fd, data, sizeof(data), 0);
	assert_int_equal(wait_for(fd, POLLIN), 1);
	assert_int_equal(socket_error(fd), ECONNRESET);
}

static void test_reset(void **state)
{
	struct world *w = *state;
	struct sl_decision_counts counts;

	attach_tc(w);
	check_reset(w, PEER, AT_GATEWAY4);
	check_reset(w, PEER, AT_GATEWAY6);
	check_reset(w, GATEWAY, AT_PEER4);
	check_reset(w, GATEWAY, AT_PEER6);
	rig_decisions(w->rig, &counts);
	assert_true(counts.reset >= 4);
	assert_true(counts.pass_established >= 4);
	assert_int_equal(counts.drop_no_reply, 0);
	for (enum side side = 0; side < SIDES; side++)
		assert_int_equal(netpair_checksum_errors(&w->net, side), 0);
}

/* An ICMP error about a probe is the prober's; one about other traffic is the endpoint's. */
static void check_icmp(struct world *w, uint32_t mark)
{
	bool probe = mark == SL_PROBE_MARK;
	struct sl_decision_counts before, after;

	for (enum endpoint to = AT_PEER4; to <= AT_PEER6; to++) {
		CLEANUP(close_p) int fd = new_socket(w, GATEWAY, SOCK_DGRAM, addresses[to]);

		rig_decisions(w->rig, &before);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
		assert_int_equal(try_send(fd, addresses[to], DEAF_PORT), ECONNREFUSED);
		rig_decisions(w->rig, &after);
		assert_int_equal(after.pass_icmp_error - before.pass_icmp_error, !probe);
		assert_true(after.pass_probe - before.pass_probe >= probe);
	}
}

static void test_icmp_about_probes_tc(void **state)
{
	struct world *w = *state;

	set_words(w, OPEN);
	attach_ingress(w);
	check_icmp(w, SL_PROBE_MARK);
	check_icmp(w, 0);
}

static void test_icmp_about_probes_xdp(void **state)
{
	struct world *w = *state;

	set_words(w, OPEN);
	w->links[0] = attach_link(w, RIG_XDP, BPF_XDP);
	assert_true(w->links[0] >= 0);
	check_icmp(w, SL_PROBE_MARK);
	check_icmp(w, 0);
}

#define VETH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VETH_TEST(test_egress),
		VETH_TEST(test_ingress),
		VETH_TEST(test_ingress_completed_in_software),
		VETH_TEST(test_ingress_with_full_checksums),
		VETH_TEST(test_probe_mark),
		VETH_TEST(test_reset),
		VETH_TEST(test_icmp_about_probes_tc),
		VETH_TEST(test_icmp_about_probes_xdp),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
