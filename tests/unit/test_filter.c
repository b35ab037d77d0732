// SPDX-License-Identifier: GPL-2.0-or-later
/* Rulesets as libnftables writes them, and what becomes of a packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "survey/filter.h"

#define RULESET_MAX 8192

/* A chain "c" of the hook output, and rules in it: "accept" policy unless said otherwise. */
#define CHAIN(policy)                                                                  \
	"{'chain':{'family':'inet','table':'t','name':'c','handle':1,'type':'filter'," \
	"'hook':'output','prio':0,'policy':'" policy "'}},"
#define RULE(handle, expr) \
	"{'rule':{'family':'inet','table':'t','chain':'c','handle':" #handle ",'expr':[" expr "]}},"
#define SUB_RULE(handle, expr)                                                                  \
	"{'rule':{'family':'inet','table':'t','chain':'sub','handle':" #handle ",'expr':[" expr \
	"]}},"
#define MATCH(op, left, right) "{'match':{'op':'" op "','left':" left ",'right':" right "}},"
#define DPORT "{'payload':{'protocol':'tcp','field':'dport'}}"
#define UDP_DPORT "{'payload':{'protocol':'udp','field':'dport'}}"
#define DADDR "{'payload':{'protocol':'ip','field':'daddr'}}"
#define DADDR6 "{'payload':{'protocol':'ip6','field':'daddr'}}"
#define META(key) "{'meta':{'key':'" key "'}}"
#define CT_STATE "{'ct':{'key':'state'}}"
#define FLAGS "{'payload':{'protocol':'tcp','field':'flags'}}"
#define DROP "{'drop':null}"
#define REJECT "{'reject':{'type':'tcp reset'}}"
#define ACCEPT "{'accept':null}"
#define MAYBE MATCH("==", META("mark"), "7")

enum fate { PASSES, MAY_END, ENDS };

/* Of a SYN from 10.0.0.1 to 10.0.0.2:80, out by eth0. */
static const struct row {
	const char *rules;
	enum fate fate;
	uint64_t handle;
} rows[] = {
	{ CHAIN("accept"), PASSES, 0 },
	{ CHAIN("drop"), ENDS, 0 },
	{ CHAIN("accept") RULE(2, DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, "{'counter':{'packets':0,'bytes':0}}," DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", DPORT, "80") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", DPORT, "81") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("!=", DPORT, "81") REJECT), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("<", DPORT, "81") REJECT), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", UDP_DPORT, "80") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", DPORT, "{'set':[22,80]}") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("!=", DPORT, "{'set':[22,80]}") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", DPORT, "{'range':[1,1023]}") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", DPORT, "{'range':[81,1023]}") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", DADDR, "'10.0.0.2'") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", DADDR, "'10.0.0.3'") DROP), PASSES, 0 },
	{ CHAIN("accept")
		  RULE(2, MATCH("==", DADDR, "{'prefix':{'addr':'10.0.0.0','len':30}}") DROP),
	  ENDS, 2 },
	{ CHAIN("accept")
		  RULE(2, MATCH("==", DADDR, "{'prefix':{'addr':'10.0.0.4','len':30}}") DROP),
	  PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", DADDR, "{'range':['10.0.0.1','10.0.0.9']}") DROP),
	  ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", DADDR6, "'fd00::1'") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("!=", DADDR6, "'fd00::1'") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", META("oifname"), "'eth0'") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", META("oifname"), "'eth*'") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", META("oifname"), "'eth1'") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", META("nfproto"), "'ipv6'") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", META("l4proto"), "6") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", META("l4proto"), "'udp'") DROP), PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("in", CT_STATE, "'new'") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("in", CT_STATE, "['established','related']") ACCEPT)
		  RULE(3, DROP),
	  ENDS, 3 },
	{ CHAIN("accept") RULE(2, MATCH("in", CT_STATE, "['new','related']") ACCEPT) RULE(3, DROP),
	  PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("in", FLAGS, "'syn'") DROP), ENDS, 2 },
	{ CHAIN("accept") RULE(2, MATCH("==", "{'&':[" FLAGS ",{'|':['syn','ack']}]}",
					"{'|':['syn','ack']}") DROP),
	  PASSES, 0 },
	/* What is not known leaves doubt, and what comes behind is in doubt, too. */
	{ CHAIN("accept") RULE(2, MAYBE DROP), MAY_END, 2 },
	{ CHAIN("accept") RULE(2, "{'xt':null}," DROP), MAY_END, 2 },
	{ CHAIN("accept") RULE(2, "{'limit':{'rate':1,'per':'second'}}," DROP), MAY_END, 2 },
	{ CHAIN("drop") RULE(2, MAYBE ACCEPT), MAY_END, 0 },
	{ CHAIN("accept") RULE(2, MAYBE DROP) RULE(3, DROP), ENDS, 3 },
	/* Chains, sets and maps. */
	{ CHAIN("accept") RULE(2, "{'jump':{'target':'sub'}}") SUB_RULE(3, DROP), ENDS, 3 },
	{ CHAIN("accept") RULE(2, "{'jump':{'target':'sub'}}") SUB_RULE(3, "{'return':null}")
		  SUB_RULE(4, DROP) RULE(5, ACCEPT),
	  PASSES, 0 },
	{ CHAIN("accept") RULE(2, MAYBE "{'jump':{'target':'sub'}}") SUB_RULE(3, DROP), MAY_END,
	  3 },
	{ CHAIN("drop") RULE(2, "{'goto':{'target':'sub'}}") RULE(4, ACCEPT), ENDS, 0 },
	{ CHAIN("accept") RULE(2, "{'jump':{'target':'c'}}"), PASSES, 0 },
	{ "{'set':{'family':'inet','name':'s','table':'t','elem':['10.0.0.1',{'elem':{'val':"
	  "'10.0.0.2','timeout':3}}]}}," CHAIN("accept") RULE(2, MATCH("==", DADDR, "'@s'") DROP),
	  ENDS, 2 },
	{ "{'set':{'family':'inet','name':'s','table':'t'}}," CHAIN("accept")
		  RULE(2, MATCH("==", DADDR, "'@s'") DROP),
	  PASSES, 0 },
	{ "{'set':{'family':'ip','name':'s','table':'t','elem':['10.0.0.2']}}," CHAIN("accept")
		  RULE(2, MATCH("==", DADDR, "'@s'") DROP),
	  MAY_END, 2 },
	{ CHAIN("accept") RULE(2, "{'vmap':{'key':" DPORT
				  ",'data':{'set':[[22,{'accept':null}],[80,{'drop':null}]]}}}"),
	  ENDS, 2 },
	{ CHAIN("accept") RULE(2, "{'vmap':{'key':" DPORT ",'data':{'set':[[22,{'drop':null}]]}}}"),
	  PASSES, 0 },
	/* Nonsense. */
	{ CHAIN("accept") "{'rule':[]},{'rule':{'family':'inet'}},7,", PASSES, 0 },
	{ CHAIN("accept") RULE(2, MATCH("==", "{}", "null") DROP), MAY_END, 2 },
	{ CHAIN("accept")
		  RULE(2, MATCH("==", DADDR, "{'prefix':{'addr':'10.0.0.2','len':-5}}") DROP),
	  MAY_END, 2 },
};

static json_t *ruleset(const char *rules)
{
	char text[RULESET_MAX];
	json_error_t error;
	json_t *json;

	snprintf(text, sizeof(text), "{'nftables':[%s{'metainfo':{}}]}", rules);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	/* A comma may stand before what closes a list. */
	for (char *c = text; (c = strstr(c, ",]"));)
		*c = ' ';
	json = json_loads(text, 0, &error);
	if (!json)
		fail_msg("%s: %s", error.text, text);
	return json;
}

static struct filter_packet syn(void)
{
	struct filter_packet packet = { .to_port = 80, .out = "eth0" };

	assert_int_equal(addr_parse(&packet.from, "10.0.0.1"), 0);
	assert_int_equal(addr_parse(&packet.to, "10.0.0.2"), 0);
	return packet;
}

static void test_rows(void **state)
{
	static const char *const hooks[] = { "output", NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = ruleset(rows[i].rules);
		const struct filter_packet packet = syn();
		struct filter_report report = { .n = 0 };
		const struct filter_match *last;
		enum fate fate;

		filter_judge(json, &packet, hooks, &report);
		last = report.n ? &report.of[report.n - 1] : NULL;
		fate = !last ? PASSES : last->certain ? ENDS : MAY_END;
		if (fate != rows[i].fate || (last && last->handle != rows[i].handle))
			fail_msg("row %zu: %d by %d", i, (int)fate, last ? (int)last->handle : -1);
		json_decref(json);
	}
}

/* Chains of a hook in the order of their priorities, whatever the order in the ruleset. */
static void test_priority(void **state)
{
	static const char *const hooks[] = { "output", NULL };
	json_t *json = ruleset(CHAIN("accept") RULE(
		2,
		DROP) "{'chain':{'family':'ip','table':'u','name':'d','handle':1,'hook':'output','prio':-5,"
		      "'policy':'accept'}},"
		      "{'rule':{'family':'ip','table':'u','chain':'d','handle':9,'expr':[{'drop':null}]}},");
	const struct filter_packet packet = syn();
	struct filter_report report = { .n = 0 };

	(void)state;
	filter_judge(json, &packet, hooks, &report);
	assert_int_equal(report.n, 1);
	assert_int_equal(report.of[0].handle, 9);
	assert_string_equal(report.of[0].table, "u");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_priority),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
