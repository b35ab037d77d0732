// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What endpoints send to clients that no service stands between is estimated: one packet in so many is looked at, and
 * counts for these. Probes' answers are not among them.
 */
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"

#define ID 7
#define PORT 443
#define ROUNDS 3

struct sums {
	uint64_t replies, bytes, others;
	size_t len; /* of a frame */
};

/* Send the packet so often that several are looked at. */
static struct sums send_many(struct rig *rig, enum rig_program program,
			     const struct packet_desc *desc)
{
	struct sums sums = { 0 };
	uint8_t frame[PACKET_MAX];

	sums.len = packet_build(frame, desc);
	for (int i = 0; i < ROUNDS * SL_REPLY_SAMPLE; i++) {
		struct rig_result result =
			rig_run(rig, program, frame, sums.len, (struct rig_skb){ 0 });

		assert_int_equal(result.verdict, RIG_PASS);
		assert_int_equal(result.decision, SL_PASS_NOT_OURS);
		sums.replies += result.stats.replies;
		sums.bytes += result.stats.reply_bytes;
		sums.others += result.stats.packets + result.attempts.sent;
	}
	assert_int_equal(sums.others, 0);
	return sums;
}

static struct packet_desc reply(bool v6, uint8_t proto)
{
	return (struct packet_desc){ .src = v6 ? "fd00::5" : "10.0.0.5",
				     .dst = v6 ? "2001:db8::1" : "192.0.2.1",
				     .sport = PORT,
				     .dport = 40000,
				     .proto = proto,
				     .tcp_flags = proto == IPPROTO_TCP ? PACKET_ACK : 0,
				     .payload = 500 };
}

static void check(enum rig_program program, const struct packet_desc *desc, uint64_t n)
{
	struct rig *rig = rig_new();
	struct sums sums;

	rig_endpoint(rig, ID, "10.0.0.5", PORT, SL_TCP);
	rig_endpoint(rig, ID + 1, "fd00::5", PORT, SL_TCP);
	rig_endpoint(rig, ID + 2, "10.0.0.5", PORT, SL_UDP);
	rig_endpoint(rig, ID + 3, "fd00::5", PORT, SL_UDP);
	sums = send_many(rig, program, desc);
	assert_int_equal(sums.replies, n);
	assert_int_equal(sums.bytes, n * sums.len);
	rig_free(rig);
}

static void test_sampled(void **state)
{
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };

	(void)state;
	for (enum rig_program program = 0; program < RIG_PROGRAMS; program++)
		for (int v6 = 0; v6 < 2; v6++)
			for (int i = 0; i < 2; i++) {
				struct packet_desc desc = reply(v6, protos[i]);
				/* What this host sends is no reply to it. */
				uint64_t all =
					program == RIG_TC_EGRESS ? 0 : ROUNDS * SL_REPLY_SAMPLE;

				check(program, &desc, all);
				desc.tags = 1; /* the general way */
				check(program, &desc, all);
				desc.sport = PORT + 1;
				check(program, &desc, 0);
			}
}

/* --- probes ------------------------------------------------------------------------------------ */

/* A socket of this host's loopback that is connected to PORT there; *ret_port: its own. */
static int connected(bool v6, uint32_t mark, uint16_t *ret_port)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET,
				   .sin_port = htons(PORT),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(PORT),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT },
			    own;
	socklen_t len = sizeof(own);
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(v6 ? connect(fd, (struct sockaddr *)&to6, sizeof(to6))
			    : connect(fd, (struct sockaddr *)&to4, sizeof(to4)),
			 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	*ret_port = ntohs(own.sin6_port); /* at the same place in both */
	return fd;
}

static void check_socket(enum rig_program program, bool v6, uint32_t mark, uint64_t n)
{
	const char *loopback = v6 ? "::1" : "127.0.0.1";
	struct packet_desc desc = {
		.src = loopback, .dst = loopback, .sport = PORT, .proto = IPPROTO_UDP
	};
	int fd = connected(v6, mark, &desc.dport);
	struct rig *rig = rig_new();

	rig_endpoint(rig, ID, loopback, PORT, SL_UDP);
	assert_int_equal(send_many(rig, program, &desc).replies, n);
	rig_free(rig);
	close(fd);
}

static void test_probes(void **state)
{
	(void)state;
	for (enum rig_program program = RIG_XDP; program <= RIG_TC_INGRESS; program++)
		for (int v6 = 0; v6 < 2; v6++) {
			check_socket(program, v6, SL_PROBE_MARK, 0);
			check_socket(program, v6, 1, ROUNDS * SL_REPLY_SAMPLE);
		}
}

/* Each CPU counts for itself whose turn it is. */
static int stay(void **state)
{
	cpu_set_t cpus;
	int cpu = sched_getcpu();

	(void)state;
	CPU_ZERO(&cpus);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sampled),
		cmocka_unit_test(test_probes),
	};

	return cmocka_run_group_tests_name("sample", tests, stay, NULL);
}
