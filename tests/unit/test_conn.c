// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_conn - connecting, and what ICMP has to say about it.
 *
 * Runs in a network namespace of its own behind a TUN device, whose other end is this test: it
 * sees every packet of the probe and answers as a router or server would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include <cmocka.h>

#include "probe/conn.h"
#include "probe/probe.h"
#include "tests/lib/netbed.h"
#include "util/cleanup.h"

#define PATIENT_MS 20000
#define BRIEF_MS 200
#define PACKET_MAX 2048
#define PORT 80
#define QUOTED 8 /* bytes of TCP that an ICMP error must quote */

#define OUR_V4 "10.99.0.1"
#define ROUTER_V4 "10.99.0.254"
#define PEER_V4 "10.99.0.2"
#define OUR_V6 "fd99::1"
#define ROUTER_V6 "fd99::fe"
#define PEER_V6 "fd99::2"

static int tun_fd = -1;

/* --- the wire ---------------------------------------------------------------------------------- */

/* linux/ipv6.h has it too, and does not go together with netinet/in.h. */
struct in6_request {
	struct in6_addr addr;
	uint32_t prefix_len;
	int ifindex;
};

static void set_up(const char *name)
{
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	request.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static void set_addresses(const char *name)
{
	CLEANUP(close_p) int fd4 = socket(AF_INET, SOCK_DGRAM, 0);
	CLEANUP(close_p) int fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
	struct in6_request request6 = { .prefix_len = 64, .ifindex = (int)if_nametoindex(name) };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	inet_pton(AF_INET, OUR_V4, &in.sin_addr);
	memcpy(&request.ifr_addr, &in, sizeof(in));
	assert_int_equal(ioctl(fd4, SIOCSIFADDR, &request), 0);
	inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
	memcpy(&request.ifr_netmask, &in, sizeof(in));
	assert_int_equal(ioctl(fd4, SIOCSIFNETMASK, &request), 0);
	inet_pton(AF_INET6, OUR_V6, &request6.addr);
	assert_int_equal(ioctl(fd6, SIOCSIFADDR, &request6), 0);
}

static int set_up_network(void **state)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	tun_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(tun_fd >= 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "wire");
	assert_int_equal(ioctl(tun_fd, TUNSETIFF, &request), 0);
	set_up("lo");
	set_up("wire");
	set_addresses("wire");
	return 0;
}

static uint32_t add_words(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (len % 2)
		sum += (uint32_t)(bytes[len - 1] << 8);
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void transmit(const void *packet, size_t len)
{
	assert_int_equal(write(tun_fd, packet, len), len);
}

/* The IPv4 header of a packet to us whose payload is already behind it. */
static void finish_v4(uint8_t *packet, const char *from, uint8_t proto, size_t len)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = proto };

	ip.tot_len = htons((uint16_t)len);
	inet_pton(AF_INET, from, &ip.saddr);
	inet_pton(AF_INET, OUR_V4, &ip.daddr);
	ip.check = checksum(add_words(0, &ip, sizeof(ip)));
	memcpy(packet, &ip, sizeof(ip));
}

static void send_icmp_v4(const uint8_t *about, uint8_t type, uint8_t code)
{
	uint8_t packet[PACKET_MAX] = { 0 };
	struct icmphdr icmp = { .type = type, .code = code };
	size_t quoted = sizeof(struct iphdr) + QUOTED;
	size_t len = sizeof(struct iphdr) + sizeof(icmp) + quoted;

	icmp.checksum = checksum(add_words(add_words(0, &icmp, sizeof(icmp)), about, quoted));
	memcpy(packet + sizeof(struct iphdr), &icmp, sizeof(icmp));
	memcpy(packet + sizeof(struct iphdr) + sizeof(icmp), about, quoted);
	finish_v4(packet, ROUTER_V4, IPPROTO_ICMP, len);
	transmit(packet, len);
}

static void send_icmp_v6(const uint8_t *about, uint8_t type, uint8_t code)
{
	struct icmp6_hdr icmp = { .icmp6_type = type, .icmp6_code = code };
	size_t quoted = sizeof(struct ip6_hdr) + QUOTED, payload = sizeof(icmp) + quoted;
	struct ip6_hdr ip = { .ip6_nxt = IPPROTO_ICMPV6, .ip6_hlim = 64 };
	uint8_t packet[PACKET_MAX];
	uint32_t sum;

	ip.ip6_vfc = 6 << 4;
	ip.ip6_plen = htons((uint16_t)payload);
	inet_pton(AF_INET6, ROUTER_V6, &ip.ip6_src);
	inet_pton(AF_INET6, OUR_V6, &ip.ip6_dst);
	sum = add_words((uint32_t)payload + IPPROTO_ICMPV6, &ip.ip6_src, 2 * sizeof(ip.ip6_src));
	sum = add_words(add_words(sum, &icmp, sizeof(icmp)), about, quoted);
	icmp.icmp6_cksum = checksum(sum);
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &icmp, sizeof(icmp));
	memcpy(packet + sizeof(ip) + sizeof(icmp), about, quoted);
	transmit(packet, sizeof(ip) + payload);
}

static void send_syn_ack(const uint8_t *syn)
{
	uint8_t packet[sizeof(struct iphdr) + sizeof(struct tcphdr)] = { 0 };
	struct tcphdr in, out = { .syn = 1, .ack = 1, .doff = 5 };
	struct iphdr ip;
	uint32_t sum;

	memcpy(&ip, syn, sizeof(ip));
	memcpy(&in, syn + sizeof(ip), sizeof(in));
	out.source = in.dest;
	out.dest = in.source;
	out.ack_seq = htonl(ntohl(in.seq) + 1);
	out.window = htons(UINT16_MAX);
	sum = add_words(sizeof(out) + IPPROTO_TCP, &ip.saddr, 2 * sizeof(ip.saddr));
	out.check = checksum(add_words(sum, &out, sizeof(out)));
	memcpy(packet + sizeof(ip), &out, sizeof(out));
	finish_v4(packet, PEER_V4, IPPROTO_TCP, sizeof(packet));
	transmit(packet, sizeof(packet));
}

/* --- the other end of the wire ------------------------------------------------------------------ */

enum reaction { SILENT, ICMP_TO_SYN, ICMP_TO_DATA };

struct wire {
	uv_loop_t loop;
	uv_poll_t poll;
	enum reaction reaction;
	uint8_t type, code;
	int n_icmp;
	int n_done;
	struct verdict verdict;
};

static void react_v4(struct wire *wire, const uint8_t *packet, size_t len)
{
	size_t header = sizeof(struct iphdr) + sizeof(struct tcphdr);
	struct tcphdr tcp;

	if (len < header || packet[9] != IPPROTO_TCP)
		return;
	memcpy(&tcp, packet + sizeof(struct iphdr), sizeof(tcp));
	if (wire->reaction == ICMP_TO_SYN) {
		send_icmp_v4(packet, wire->type, wire->code);
		wire->n_icmp++;
	} else if (wire->reaction == ICMP_TO_DATA && tcp.syn) {
		send_syn_ack(packet);
	} else if (wire->reaction == ICMP_TO_DATA && tcp.psh) {
		send_icmp_v4(packet, wire->type, wire->code);
		wire->n_icmp++;
	}
}

static void react_v6(struct wire *wire, const uint8_t *packet, size_t len)
{
	struct ip6_hdr ip;

	memcpy(&ip, packet, len < sizeof(ip) ? len : sizeof(ip));
	if (len < sizeof(ip) || ip.ip6_nxt != IPPROTO_TCP || wire->reaction != ICMP_TO_SYN)
		return;
	send_icmp_v6(packet, wire->type, wire->code);
	wire->n_icmp++;
}

static void on_packet(uv_poll_t *poll, int status, int events)
{
	struct wire *wire = poll->data;
	uint8_t packet[PACKET_MAX];
	ssize_t len;

	assert_int_equal(status, 0);
	(void)events;
	len = read(tun_fd, packet, sizeof(packet));
	if (len <= 0)
		return;
	if (packet[0] >> 4 == 4)
		react_v4(wire, packet, (size_t)len);
	else
		react_v6(wire, packet, (size_t)len);
}

static void on_done(void *arg, const struct verdict *verdict)
{
	struct wire *wire = arg;

	wire->n_done++;
	wire->verdict = *verdict;
	uv_close((uv_handle_t *)&wire->poll, NULL);
}

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

static struct plan plan_to(const char *address)
{
	struct plan plan = { .protocol = PROTO_HTTP,
			     .port = PORT,
			     .host = "h",
			     .path = "/",
			     .match = &match_default,
			     .timeout_ms = PATIENT_MS,
			     .mark = SL_PROBE_MARK };

	assert_int_equal(addr_parse(&plan.addr, address), 0);
	return plan;
}

static void run(struct wire *wire, const struct plan *plan)
{
	uint8_t stale[PACKET_MAX];

	/* What an earlier probe left behind is not for this one. */
	while (read(tun_fd, stale, sizeof(stale)) > 0)
		;
	assert_int_equal(uv_loop_init(&wire->loop), 0);
	assert_int_equal(uv_poll_init(&wire->loop, &wire->poll, tun_fd), 0);
	wire->poll.data = wire;
	assert_int_equal(uv_poll_start(&wire->poll, UV_READABLE, on_packet), 0);
	assert_non_null(probe_start(&wire->loop, plan, NULL, on_done, wire));
	assert_int_equal(uv_run(&wire->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&wire->loop), 0);
	assert_int_equal(wire->n_done, 1);
}

/* --- tests -------------------------------------------------------------------------------------- */

static const struct {
	const char *peer;
	uint8_t type, code;
	int os_errno;
} icmps[] = {
	{ PEER_V4, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ENETUNREACH },
	{ PEER_V4, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, EHOSTUNREACH },
	{ PEER_V4, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, ECONNREFUSED },
	{ PEER_V4, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, EHOSTUNREACH },
	{ PEER_V4, ICMP_TIME_EXCEEDED, 0, EHOSTUNREACH },
	{ PEER_V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, ENETUNREACH },
	/* EACCES without an ICMP error would be our own firewall. */
	{ PEER_V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, EACCES },
	{ PEER_V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, EHOSTUNREACH },
	{ PEER_V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, ECONNREFUSED },
};

static void test_icmp_to_syn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(icmps) / sizeof(icmps[0]); i++) {
		struct wire wire = { .reaction = ICMP_TO_SYN,
				     .type = icmps[i].type,
				     .code = icmps[i].code };
		struct plan plan = plan_to(icmps[i].peer);

		run(&wire, &plan);
		assert_int_equal(wire.verdict.code, SL_MSG_TCP_CONNECT_FAILED);
		assert_int_equal(wire.verdict.stage, STAGE_CONNECT);
		assert_int_equal(wire.verdict.os_errno, icmps[i].os_errno);
		assert_true(wire.verdict.has_icmp);
		assert_int_equal(wire.verdict.icmp_type, icmps[i].type);
		assert_int_equal(wire.verdict.icmp_code, icmps[i].code);
		assert_true(wire.verdict.elapsed_ms < PATIENT_MS);
	}
}

static void test_silence(void **state)
{
	static const char *const peers[] = { PEER_V4, PEER_V6 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wire wire = { .reaction = SILENT };
		struct plan plan = plan_to(peers[i]);

		plan.timeout_ms = BRIEF_MS;
		run(&wire, &plan);
		assert_int_equal(wire.verdict.code, SL_MSG_TCP_CONNECT_FAILED);
		assert_int_equal(wire.verdict.os_errno, ETIMEDOUT);
		assert_false(wire.verdict.has_icmp);
	}
}

/* Anybody can forge an ICMP error about an open connection: the probe goes on. */
static void test_icmp_to_data(void **state)
{
	struct wire wire = { .reaction = ICMP_TO_DATA,
			     .type = ICMP_DEST_UNREACH,
			     .code = ICMP_PORT_UNREACH };
	struct plan plan = plan_to(PEER_V4);

	(void)state;
	plan.timeout_ms = BRIEF_MS;
	run(&wire, &plan);
	assert_true(wire.n_icmp > 0);
	assert_int_equal(wire.verdict.code, SL_MSG_BACKEND_TIMEOUT);
	assert_int_equal(wire.verdict.stage, STAGE_HEADER);
	assert_false(wire.verdict.has_icmp);
}

#define UNREACHABLE_V4 "198.51.100.1"
#define PROHIBITED_V4 "198.51.100.2"
#define BLACKHOLE_V4 "198.51.100.3"

static void add_route(const char *type, const char *to)
{
	netbed_must("ip", "route", "add", type, to);
}

/*
 * No route is a failure of the connection; that nobody told us so makes no difference. A route that
 * forbids it is our own policy.
 */
static void test_no_route(void **state)
{
	static const struct {
		const char *to;
		int os_errno;
		bool ours;
	} rows[] = {
		{ "192.0.2.1", ENETUNREACH, false },     { "2001:db8::1", ENETUNREACH, false },
		{ UNREACHABLE_V4, EHOSTUNREACH, false }, { PROHIBITED_V4, EACCES, true },
		{ BLACKHOLE_V4, EINVAL, false },
	};

	(void)state;
	add_route("unreachable", UNREACHABLE_V4);
	add_route("prohibit", PROHIBITED_V4);
	add_route("blackhole", BLACKHOLE_V4);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool udp = i % 2;
		struct wire wire = { .reaction = SILENT };
		struct plan plan = plan_to(rows[i / 2].to);

		plan.protocol = udp ? PROTO_UDP : PROTO_HTTP;
		run(&wire, &plan);
		if (wire.verdict.os_errno != rows[i / 2].os_errno)
			fail_msg("%s: %s", rows[i / 2].to, strerror(wire.verdict.os_errno));
		assert_int_equal(wire.verdict.code, rows[i / 2].ours ? SL_MSG_LOCAL_RESOURCE
						    : udp            ? SL_MSG_UDP_UNREACHABLE
								     : SL_MSG_TCP_CONNECT_FAILED);
		assert_int_equal(wire.verdict.stage, STAGE_CONNECT);
		assert_false(wire.verdict.has_icmp);
	}
}

static void test_mark(void **state)
{
	struct plan plan = plan_to(PEER_V4);
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	const char *call;
	int fd;

	(void)state;
	assert_int_equal(conn_open(&fd, &call, &plan), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	assert_int_equal(mark, SL_PROBE_MARK);
	assert_int_equal(conn_state(fd), -EINPROGRESS);
	close(fd);
}

/* With one local port in the range and that one taken, the next connection is our own trouble. */
static void test_no_port(void **state)
{
	CLEANUP(close_p) int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
	CLEANUP(close_p) int listener = socket(AF_INET, SOCK_STREAM, 0);
	CLEANUP(close_p) int taken = socket(AF_INET, SOCK_STREAM, 0);
	struct plan plan = plan_to("127.0.0.1");
	struct wire wire = { .reaction = SILENT };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, &plan.addr, plan.port);

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(write(range, "60001 60001", 11), 11);
	assert_int_equal(connect(taken, (struct sockaddr *)&ss, len), 0);
	run(&wire, &plan);
	assert_int_equal(write(range, "32768 60999", 11), 11);
	assert_int_equal(wire.verdict.code, SL_MSG_LOCAL_RESOURCE);
	assert_int_equal(wire.verdict.os_errno, EADDRNOTAVAIL);
	assert_string_equal(wire.verdict.detail, "connect");
}

/* A connection to itself is a handshake too, and proves nothing. */
static void test_self_connect(void **state)
{
	CLEANUP(close_p) int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
	struct plan plan = plan_to("127.0.0.1");
	struct wire wire = { .reaction = SILENT };

	(void)state;
	assert_int_equal(write(range, "60002 60002", 11), 11);
	plan.port = 60002;
	plan.protocol = PROTO_TCP;
	run(&wire, &plan);
	assert_int_equal(write(range, "32768 60999", 11), 11);
	assert_int_equal(wire.verdict.code, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(wire.verdict.os_errno, ECONNREFUSED);
}

static void test_local_errnos(void **state)
{
	static const int local[] = { EMFILE, ENFILE, ENOBUFS,    ENOMEM, EADDRNOTAVAIL,
				     EPERM,  EACCES, EADDRINUSE, EAGAIN };
	static const int remote[] = { ECONNREFUSED, ECONNRESET,  EHOSTUNREACH,
				      ENETUNREACH,  ENOPROTOOPT, ETIMEDOUT };

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_true(conn_errno_is_local(local[i]));
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		assert_false(conn_errno_is_local(remote[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_icmp_to_syn),  cmocka_unit_test(test_silence),
		cmocka_unit_test(test_icmp_to_data), cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_mark),         cmocka_unit_test(test_no_port),
		cmocka_unit_test(test_self_connect), cmocka_unit_test(test_local_errnos),
	};

	return cmocka_run_group_tests(tests, set_up_network, NULL);
}
