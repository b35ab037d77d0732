// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/udp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/conn.h"
#include "util/errqueue.h"

/* How often the datagram is sent; the timeout is divided by it. */
#define SENDS 3

/* Silence of this length is as good as any longer one. */
#define SILENCE_MS 1000

#define DATAGRAM_MAX 65536

/* Taken in per turn of the loop; what is left is told again. */
#define DATAGRAMS_PER_TURN 16

static bool expects_silence(const struct plan *plan)
{
	const char *body = plan->match->body;

	return !plan->send && (!body || !*body);
}

uint32_t udp_wait_ms(const struct udp *udp, const struct plan *plan)
{
	uint32_t third_ms = plan->timeout_ms / SENDS;

	if (expects_silence(plan))
		return plan->timeout_ms < SILENCE_MS ? plan->timeout_ms : SILENCE_MS;
	/* The last third has what division left over. */
	return udp->n_sent < SENDS ? third_ms : plan->timeout_ms - (SENDS - 1) * third_ms;
}

bool udp_is_last(const struct udp *udp, const struct plan *plan)
{
	return udp->n_sent >= SENDS || expects_silence(plan);
}

/* An error that the socket reported; ICMP's are held against the endpoint, our own are not. */
static bool fail(int fd, int os_errno, const char *call, struct verdict *v)
{
	struct icmp_error icmp;

	v->os_errno = os_errno;
	if (errqueue_take_icmp(fd, &icmp)) {
		v->has_icmp = true;
		v->icmp_type = icmp.type;
		v->icmp_code = icmp.code;
	}
	if (!v->has_icmp && os_errno != ECONNREFUSED) {
		snprintf(v->detail, sizeof(v->detail), "%s", call);
		v->code = SL_MSG_LOCAL_RESOURCE;
		return true;
	}
	v->code = SL_MSG_UDP_UNREACHABLE;
	return true;
}

bool udp_send(struct udp *udp, int fd, const struct plan *plan, struct verdict *ret_verdict)
{
	udp->n_sent++;
	if (send(fd, plan->send ? plan->send : "", plan->send ? plan->send_len : 0, MSG_NOSIGNAL) >=
	    0)
		return false;
	/* Full queues of our own are as if the datagram had been lost. */
	if (errno == EAGAIN)
		return false;
	return fail(fd, errno, "send", ret_verdict);
}

static bool fits(const struct plan *plan, const uint8_t *data, size_t len)
{
	const char *body = plan->match->body;

	return !body || !*body || memmem(data, len, body, strlen(body));
}

bool udp_receive(struct udp *udp, int fd, const struct plan *plan, struct verdict *ret_verdict)
{
	uint8_t data[DATAGRAM_MAX];

	udp->starved = false;
	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n < 0)
			return fail(fd, errno, "recv", ret_verdict);
		if (fits(plan, data, (size_t)n)) {
			ret_verdict->code = SL_MSG_OK;
			return true;
		}
		udp->n_wrong++;
	}
	udp->starved = true;
	return false;
}

void udp_end(const struct udp *udp, const struct plan *plan, struct verdict *ret_verdict)
{
	struct verdict *v = ret_verdict;

	if (expects_silence(plan)) {
		v->code = SL_MSG_OK;
	} else if (udp->n_wrong) {
		v->code = SL_MSG_UDP_ANSWER_MISMATCH;
		snprintf(v->detail, sizeof(v->detail), "in none of %u answers", udp->n_wrong);
	} else {
		v->code = SL_MSG_BACKEND_TIMEOUT;
		snprintf(v->detail, sizeof(v->detail), "no answer to %u datagrams", udp->n_sent);
	}
}
