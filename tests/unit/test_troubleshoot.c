// SPDX-License-Identifier: GPL-2.0-or-later
/* The tree, row by row: every cause is reached by the evidence that stands for it. */
#include "tests/unit/trouble_run.h"

/* --- names and routes -------------------------------------------------------------------------- */

static struct resolve_answer dns;

static void name(struct trouble_evidence *e, int rcode)
{
	dns = (struct resolve_answer){ .rcode = rcode, .servers = "10.0.0.53" };
	e->dns = &dns;
	e->route.kind = ROUTE_UNASKED;
}
static void name_unknown(struct trouble_evidence *e)
{
	name(e, 3);
}
static void name_empty(struct trouble_evidence *e)
{
	name(e, 0);
}
static void name_failed(struct trouble_evidence *e)
{
	name(e, 2);
}
static void name_silent(struct trouble_evidence *e)
{
	name(e, RCODE_NONE);
}
static void no_route(struct trouble_evidence *e)
{
	e->route.kind = ROUTE_NONE;
}
static void prohibit(struct trouble_evidence *e)
{
	e->route.kind = ROUTE_PROHIBIT;
}
static void unreachable(struct trouble_evidence *e)
{
	e->route.kind = ROUTE_UNREACHABLE;
}
static void blackhole(struct trouble_evidence *e)
{
	e->route.kind = ROUTE_BLACKHOLE;
}
static void no_source(struct trouble_evidence *e)
{
	e->route.kind = ROUTE_NO_SOURCE;
}

/* --- the link ---------------------------------------------------------------------------------- */

static void carrier(struct trouble_evidence *e)
{
	unanswered(e);
	e->route.has_carrier = false;
}
static void no_arp(struct trouble_evidence *e)
{
	/* As this host is told by itself. */
	icmp(e, "10.2.1.1", 3, 1);
	e->neighbour.state = NEIGHBOUR_FAILED;
}
static void arp_waits(struct trouble_evidence *e)
{
	unanswered(e);
	e->neighbour.state = NEIGHBOUR_WAITING;
}
static void gateway_down(struct trouble_evidence *e)
{
	far(e);
	unanswered(e);
	e->neighbour.state = NEIGHBOUR_FAILED;
}
static void own_trouble(struct trouble_evidence *e)
{
	e->attempts = (struct attempt_tally){ .sent = 3, .local = 3, .os_errno = EMFILE };
}

/* --- filters ----------------------------------------------------------------------------------- */

static void own_filter(struct trouble_evidence *e)
{
	unanswered(e);
	matched(&e->filters, true);
}
static void own_filter_unread(struct trouble_evidence *e)
{
	icmp(e, "10.2.1.1", 3, 13);
}
static void may_filter(struct trouble_evidence *e)
{
	answered(e);
	matched(&e->filters, false);
	matched(&e->forward, false);
}
static void forward_filter(struct trouble_evidence *e)
{
	answered(e);
	matched(&e->forward, true);
}

/* --- ICMP -------------------------------------------------------------------------------------- */

static void icmp_target(struct trouble_evidence *e)
{
	icmp(e, "10.2.1.2", 3, 13);
}
static void icmp_target_v6(struct trouble_evidence *e)
{
	e->way.to = addr("fd02::2");
	icmp(e, "fd02::2", 1, 4);
}
static void icmp_router(struct trouble_evidence *e)
{
	far(e);
	icmp(e, "10.2.1.1", 3, 10);
	e->route.source = addr("10.2.1.9");
}
static void icmp_router_v6(struct trouble_evidence *e)
{
	far(e);
	e->way.to = addr("fd09::2");
	icmp(e, "fd02::1", 1, 5);
}
static void icmp_no_host(struct trouble_evidence *e)
{
	far(e);
	icmp(e, "10.2.2.1", 3, 1);
}
static void icmp_no_host_v6(struct trouble_evidence *e)
{
	e->way.to = addr("fd09::2");
	icmp(e, "fd02::1", 1, 3);
}
static void icmp_no_host_but_alive(struct trouble_evidence *e)
{
	icmp_no_host(e);
	e->echo.n_answered = 1;
}
static void icmp_no_net(struct trouble_evidence *e)
{
	far(e);
	icmp(e, "10.2.2.1", 3, 0);
}
static void icmp_loop(struct trouble_evidence *e)
{
	far(e);
	icmp(e, "10.2.2.1", 11, 0);
}
static void icmp_edge(struct trouble_evidence *e)
{
	internet(e);
	icmp(e, "192.168.0.1", 3, 13);
}

/* --- silence ----------------------------------------------------------------------------------- */

static void silent_here(struct trouble_evidence *e)
{
	unanswered(e);
	e->neighbour.state = NEIGHBOUR_FRESH;
}
static void kept(struct trouble_evidence *e)
{
	unanswered(e);
	e->halfopen = HALFOPEN_KEPT;
}
static void queue(struct trouble_evidence *e)
{
	unanswered(e);
	e->halfopen = HALFOPEN_UNKNOWN_THERE;
}
static void late(struct trouble_evidence *e)
{
	unanswered(e);
	e->halfopen = HALFOPEN_ANSWERED;
}
static void dropped_on_the_way(struct trouble_evidence *e)
{
	far(e);
	unanswered(e);
	walked(&e->walk, 1, false);
	walked(&e->other_walk, 2, true);
}
static void dropped_at_the_end(struct trouble_evidence *e)
{
	far(e);
	unanswered(e);
	walked(&e->walk, 2, false);
	walked(&e->other_walk, 2, true);
}
static void ends(struct trouble_evidence *e)
{
	far(e);
	unanswered(e);
	walked(&e->walk, 2, false);
	walked(&e->other_walk, 2, false);
}
static void ends_at_once(struct trouble_evidence *e)
{
	far(e);
	unanswered(e);
	walked(&e->walk, 0, false);
	walked(&e->other_walk, 0, false);
}
static void edge_drops(struct trouble_evidence *e)
{
	internet(e);
	unanswered(e);
	walked(&e->walk, 1, false);
	walked(&e->other_walk, 3, true);
}
static void edge_ends(struct trouble_evidence *e)
{
	internet(e);
	unanswered(e);
	walked(&e->walk, 1, false);
	walked(&e->other_walk, 1, false);
}
static void datagrams(struct trouble_evidence *e)
{
	e->way.udp = true;
	unanswered(e);
}

/* --- answers ----------------------------------------------------------------------------------- */

static void some(struct trouble_evidence *e)
{
	sent(&e->attempts, 2, 1);
}
static void some_queue(struct trouble_evidence *e)
{
	some(e);
	e->halfopen = HALFOPEN_UNKNOWN_THERE;
}
static void some_refused(struct trouble_evidence *e)
{
	e->attempts = (struct attempt_tally){ .sent = 3, .answered = 1, .refused = 2 };
}
static void sizes(struct trouble_evidence *e)
{
	answered(e);
	e->sizes =
		(struct trouble_sizes){ .asked = true, .small = true, .mtu = 1500, .best = 1400 };
}
static void sizes_told(struct trouble_evidence *e)
{
	sizes(e);
	e->sizes.told = true;
}
static void large_lost(struct trouble_evidence *e)
{
	answered(e);
	e->small = (struct talk){ true, true, true, true };
	e->large = (struct talk){ .done = true, .connected = true };
}
static void never_acked(struct trouble_evidence *e)
{
	answered(e);
	e->small = (struct talk){ .done = true, .connected = true };
}
static void hangs(struct trouble_evidence *e)
{
	answered(e);
	probed(&e->traffic, SL_MSG_BACKEND_TIMEOUT);
}
static void error_503(struct trouble_evidence *e)
{
	answered(e);
	probed(&e->traffic, SL_MSG_HTTP_STATUS_MISMATCH);
}
static void probe_wrong(struct trouble_evidence *e)
{
	answered(e);
	probed(&e->traffic, SL_MSG_OK);
	probed(&e->probe, SL_MSG_TCP_CONNECT_FAILED);
}
static void green(struct trouble_evidence *e)
{
	refused(e);
	probed(&e->probe, SL_MSG_OK);
}
static void both_fail(struct trouble_evidence *e)
{
	refused(e);
	probed(&e->probe, SL_MSG_TCP_CONNECT_FAILED);
}

/* --- the gate ---------------------------------------------------------------------------------- */

static void gate(struct trouble_evidence *e)
{
	refused(e);
	e->gate = (struct trouble_gate){ .looked = true,
					 .refuses = true,
					 .is_endpoint = true,
					 .health = "Unhealthy",
					 .admin = "enabled",
					 .pool = "web",
					 .reason = "no answer." };
}
static void clients_refused(struct trouble_evidence *e)
{
	answered(e);
	e->clients = (struct trouble_clients){
		.known = true,
		.lately = { .answered = 1, .refused = 10, .unreachable = 1 },
		.window_ms = 60000,
	};
}
static void clients_unanswered(struct trouble_evidence *e)
{
	clients_refused(e);
	e->clients.lately = (struct traffic){ .answered = 1, .refused = 1, .unanswered = 8 };
}
static void some_client_fails(struct trouble_evidence *e)
{
	clients_refused(e);
	e->clients.lately.answered = 1000;
}
static void only_this_host(struct trouble_evidence *e)
{
	some_client_fails(e);
	refused(e);
}
static void gate_for_the_probe(struct trouble_evidence *e)
{
	gate(e);
	sent(&e->behind, 3, 0);
	probed(&e->traffic, SL_MSG_OK);
	probed(&e->probe, SL_MSG_TCP_CONNECT_FAILED);
}
static void drained(struct trouble_evidence *e)
{
	gate(e);
	snprintf(e->gate.admin, sizeof(e->gate.admin), "draining");
	sent(&e->behind, 3, 0);
}

static const struct row rows[] = {
	{ answered, CAUSE_REACHABLE, "answered 3 of 3", "Reachable" },
	{ name_unknown, CAUSE_NAME_UNKNOWN, "asked 10.0.0.53", "Unknown" },
	{ name_empty, CAUSE_NAME_WITHOUT_ADDRESS, "", "Unknown" },
	{ name_failed, CAUSE_NAME_SERVER_FAILED, "SERVFAIL", "Unknown" },
	{ name_silent, CAUSE_NAME_SERVER_SILENT, "", "Unknown" },
	{ no_route, CAUSE_NO_ROUTE, "10.2.1.2", "Unknown" },
	{ prohibit, CAUSE_ROUTE_REFUSES, "prohibit", "Unknown" },
	{ unreachable, CAUSE_ROUTE_REFUSES, "unreachable", "Unknown" },
	{ blackhole, CAUSE_ROUTE_REFUSES, "blackhole", "Unknown" },
	{ no_source, CAUSE_NO_SOURCE_ADDRESS, "", "Unknown" },
	{ carrier, CAUSE_LINK_DOWN, "eth0", "Timeout" },
	{ no_arp, CAUSE_HOST_DOWN, "ARP", "NoConnection" },
	{ arp_waits, CAUSE_HOST_DOWN, "ARP", "Timeout" },
	{ gateway_down, CAUSE_NEXT_HOP_DOWN, "10.2.1.1", "Timeout" },
	{ own_trouble, CAUSE_OWN_TROUBLE, "Too many open files", "NoConnection" },
	{ own_filter, CAUSE_OWN_FILTER, "handle 7: tcp dport 80 drop", "Timeout" },
	{ own_filter_unread, CAUSE_OWN_FILTER, "own address", "NoConnection" },
	{ may_filter, CAUSE_REACHABLE, "", "Reachable" },
	{ forward_filter, CAUSE_FORWARD_FILTER, "handle 7", "Reachable" },
	{ icmp_target, CAUSE_HOST_FIREWALL_REJECTS, "code 13", "NoConnection" },
	{ icmp_target_v6, CAUSE_HOST_FIREWALL_REJECTS, "ICMPv6 type 1 code 4", "NoConnection" },
	{ icmp_router, CAUSE_PATH_REJECTS, "10.2.1.1", "NoConnection" },
	{ icmp_router_v6, CAUSE_PATH_REJECTS, "source address failed policy", "NoConnection" },
	{ icmp_no_host, CAUSE_HOST_DOWN, "10.2.2.1", "NoConnection" },
	{ icmp_no_host_v6, CAUSE_HOST_DOWN, "fd02::1", "NoConnection" },
	{ icmp_no_host_but_alive, CAUSE_PATH_REJECTS, "", "NoConnection" },
	{ icmp_no_net, CAUSE_PATH_UNREACHABLE, "network unreachable", "NoConnection" },
	{ icmp_loop, CAUSE_ROUTING_LOOP, "hops spent", "NoConnection" },
	{ icmp_edge, CAUSE_EDGE_REJECTS, "192.168.0.1", "NoConnection" },
	{ silent_here, CAUSE_HOST_FIREWALL_DROPS, "answers on the link", "Timeout" },
	{ kept, CAUSE_REPLY_LOST, "", "Timeout" },
	{ queue, CAUSE_ACCEPT_QUEUE_FULL, "", "Timeout" },
	{ late, CAUSE_PACKET_LOSS, "", "Timeout" },
	{ dropped_on_the_way, CAUSE_PATH_DROPS, "as far as 10.2.1.1 (hop 1)", "Timeout" },
	{ dropped_at_the_end, CAUSE_HOST_FIREWALL_DROPS, "10.2.2.1 (hop 2)", "Timeout" },
	{ ends, CAUSE_PATH_ENDS, "further than 10.2.2.1", "Timeout" },
	{ ends_at_once, CAUSE_PATH_ENDS, "by nobody", "Timeout" },
	{ edge_drops, CAUSE_EDGE_DROPS, "10.2.1.1", "Timeout" },
	{ edge_ends, CAUSE_EDGE_DROPS, "10.2.1.1", "Timeout" },
	{ datagrams, CAUSE_REACHABLE, "silence proves neither", "Unknown" },
	{ refused, CAUSE_REFUSED, "RST", "NoConnection" },
	{ some, CAUSE_PACKET_LOSS, "2 of 3", "Unstable" },
	{ some_queue, CAUSE_ACCEPT_QUEUE_FULL, "2 of 3", "Unstable" },
	{ some_refused, CAUSE_ACCEPT_QUEUE_FULL, "1 of 3", "Unstable" },
	{ sizes, CAUSE_MTU_BLACK_HOLE, "1400 bytes", "Reachable" },
	{ sizes_told, CAUSE_REACHABLE, "", "Reachable" },
	{ large_lost, CAUSE_MTU_BLACK_HOLE, "full packets", "Reachable" },
	{ never_acked, CAUSE_ACCEPT_QUEUE_FULL, "never acknowledged", "Reachable" },
	{ hangs, CAUSE_NO_ANSWER, "as it was probed", "Reachable" },
	{ error_503, CAUSE_APPLICATION_ERROR, "http_status", "Reachable" },
	{ probe_wrong, CAUSE_PROBE_WRONG, "8080/tcp, does not", "Reachable" },
	{ green, CAUSE_GREEN_BUT_BROKEN, "(refused)", "NoConnection" },
	{ both_fail, CAUSE_REFUSED, "", "NoConnection" },
	{ clients_refused, CAUSE_CLIENTS_REFUSED, "of 12 attempts to connect 11 failed",
	  "Reachable" },
	{ clients_unanswered, CAUSE_CLIENTS_UNANSWERED, "unanswered 8", "Reachable" },
	{ some_client_fails, CAUSE_REACHABLE, "", "Reachable" },
	{ only_this_host, CAUSE_REFUSED, "it is this host alone that is not served",
	  "NoConnection" },
	{ gate, CAUSE_GATE_CLOSED, "pool web is Unhealthy: no answer.", "NoConnection" },
	{ gate_for_the_probe, CAUSE_PROBE_WRONG, "8080/tcp", "NoConnection" },
	{ drained, CAUSE_GATE_CLOSED, "is draining", "NoConnection" },
};

/* That only somebody on the target itself can find, see test_troubleshoot_local.c. */
static bool is_local(enum cause cause)
{
	return cause == CAUSE_NOT_RUNNING || cause == CAUSE_LOOPBACK_ONLY ||
	       cause == CAUSE_OTHER_ADDRESS;
}

static void test_rows(void **state)
{
	bool reached[CAUSE_MAX] = { false };

	(void)state;
	run_rows(rows, sizeof(rows) / sizeof(rows[0]), reached);
	for (int cause = 0; cause < CAUSE_MAX; cause++)
		if (!reached[cause] && !is_local((enum cause)cause))
			fail_msg("no row reaches %s", cause_id((enum cause)cause));
}

/* What is wrong behind a gate that is closed is told beside it. */
static void test_behind(void **state)
{
	struct trouble_evidence e = on_the_link();
	struct trouble_finding finding;

	(void)state;
	gate(&e);
	sent(&e.behind, 0, 3);
	troubleshoot(&finding, &e);
	assert_int_equal(finding.cause, CAUSE_GATE_CLOSED);
	assert_true(finding.has_behind);
	assert_int_equal(finding.behind, CAUSE_HOST_FIREWALL_DROPS);
}

static void test_catalogue(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSE_MAX; i++) {
		enum cause cause = (enum cause)i;
		const struct cause_row *row = cause_row(cause);

		assert_non_null(row->meaning);
		assert_true(cause_n_remedies(cause) > 0);
		assert_true((cause_area(cause) == AREA_NONE) == (cause == CAUSE_REACHABLE));
		assert_true(*cause_id(cause) && *area_name(cause_area(cause)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_behind),
		cmocka_unit_test(test_catalogue),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("troubleshoot", tests, NULL, NULL);
}
