// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "util/clock.h"
#include "util/duration.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* What the gate would do with a new flow if nothing but health and on_unhealthy mattered. */
static bool gate_is_closed(const struct why_facts *facts)
{
	const struct health *health = &facts->entry->health;

	return health->proven == SL_UNHEALTHY && !health->forced && !facts->removed &&
	       facts->settings->on_unhealthy != SL_ACTION_PASS;
}

static uint64_t heartbeat_age_ns(const struct why_facts *facts)
{
	if (facts->mono_ns < facts->meta->heartbeat_ns)
		return 0;
	return facts->mono_ns - facts->meta->heartbeat_ns;
}

static bool daemon_is_lost(const struct why_facts *facts)
{
	return heartbeat_age_ns(facts) > facts->meta->daemon_loss_after_ns;
}

/* How long ago the newest verdict came, which is of before the daemon started; false: there is none such. */
static bool age_of_before(char buf[DURATION_LEN], const struct why_facts *facts)
{
	uint64_t at_ms = facts->entry->recent[0].at_ms;

	if (facts->entry->n_verdicts || !at_ms)
		return false;
	duration_human(buf, facts->wall_ms > at_ms ? facts->wall_ms - at_ms : 0);
	return true;
}

/* "3 probes in a row failed", or how else the proven state came about. */
static void reason_of(char *buf, size_t size, const struct why_facts *facts, const struct why *why)
{
	uint32_t failures = facts->entry->health.failures;
	char age[DURATION_LEN];

	if (age_of_before(age, facts))
		snprintf(buf, size,
			 "it was unhealthy by the verdict of %s ago, before the daemon started: %s",
			 age, why->message);
	else if (!facts->entry->n_verdicts)
		snprintf(buf, size,
			 "it was unhealthy before the daemon started, and no probe has "
			 "ended since");
	else if (message_ours(why->newest.code))
		snprintf(buf, size, "it was proven unhealthy, and the prober is in trouble now: %s",
			 why->message);
	else if (!failures)
		snprintf(buf, size,
			 "%" PRIu32 " of the %" PRIu32 " successes in a row that reopen the gate "
			 "have been seen; last: %s",
			 facts->entry->health.successes, facts->plan->healthy_threshold,
			 why->message);
	else if (failures == 1 && facts->entry->n_verdicts == 1 &&
		 facts->plan->unhealthy_threshold > 1)
		snprintf(buf, size,
			 "the first probe since the daemon started failed, which is enough "
			 "when nothing was known before: %s",
			 why->message);
	else
		snprintf(buf, size, "%" PRIu32 " probe%s in a row failed; last: %s", failures,
			 plural(failures), why->message);
}

static void find_unhealthy(struct why *why, const struct why_facts *facts)
{
	const char *action = why_action_name(facts->settings->on_unhealthy);
	char reason[WHY_FINDING_LEN - 128];

	reason_of(reason, sizeof(reason), facts, why);

	if (facts->removed)
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass, because the gate was removed: %s", reason);
	else if (facts->entry->health.forced)
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass, because min_servers keeps it open: %s", reason);
	else if (facts->settings->on_unhealthy == SL_ACTION_PASS)
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass, because on_unhealthy is pass: %s", reason);
	else if (facts->meta->mode == SL_MODE_OBSERVE)
		snprintf(
			why->finding, sizeof(why->finding),
			"The gate would %s new connections, but the mode is observe and they pass: "
			"%s",
			action, reason);
	else if (facts->meta->on_daemon_loss == SL_LOSS_OPEN && daemon_is_lost(facts))
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass, because the daemon's heartbeat stopped and "
			 "on_daemon_loss is open: %s",
			 reason);
	else
		snprintf(why->finding, sizeof(why->finding),
			 "No new connection reaches it (%s): %s", action, reason);
}

static void find_healthy(struct why *why, const struct why_facts *facts)
{
	const struct health *health = &facts->entry->health;
	char age[DURATION_LEN];

	if (age_of_before(age, facts))
		snprintf(
			why->finding, sizeof(why->finding),
			"New connections pass: it was healthy by the verdict of %s ago, before the "
			"daemon started: %s",
			age, why->message);
	else if (!facts->entry->n_verdicts)
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass: it was healthy before the daemon started, and no "
			 "probe has ended since.");
	else if (message_ours(why->newest.code))
		snprintf(
			why->finding, sizeof(why->finding),
			"New connections pass: it was proven healthy, and the prober is in trouble "
			"now: %s",
			why->message);
	else if (health->failures)
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass, but %" PRIu32
			 " probe%s in a row failed and %" PRIu32 " close the gate; last: %s",
			 health->failures, plural(health->failures),
			 facts->plan->unhealthy_threshold, why->message);
	else
		snprintf(why->finding, sizeof(why->finding), "New connections pass: %s",
			 why->message);
}

static void find_unknown(struct why *why, const struct why_facts *facts)
{
	if (!facts->entry->recent[0].at_ms)
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass: no probe has ended yet, and the gate closes on "
			 "proof only.");
	else
		snprintf(why->finding, sizeof(why->finding),
			 "New connections pass: nothing is proven yet, because the prober is in "
			 "trouble: %s",
			 why->message);
}

static void __attribute__((format(printf, 2, 3))) note(struct why *why, const char *fmt, ...)
{
	va_list args;

	if (why->n_notes == WHY_NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(why->notes[why->n_notes++], WHY_NOTE_LEN, fmt, args);
	va_end(args);
}

/* A name without addresses, or an address that its name no longer stands for. */
static bool find_seat(struct why *why, const struct why_facts *facts)
{
	if (facts->entry->seat == BOARD_NAME)
		snprintf(why->finding, sizeof(why->finding), "Nothing is guarded: %s",
			 facts->entry->n_verdicts ? why->message : "the name is being resolved.");
	else if (facts->entry->ordered && facts->entry->admin == SL_DRAINING)
		snprintf(why->finding, sizeof(why->finding),
			 "No new connection reaches it: it is being drained, as ordered. 'sluice "
			 "backend enable' takes that back.");
	else if (facts->entry->admin == SL_DISABLED)
		snprintf(
			why->finding, sizeof(why->finding),
			"No new connection reaches it: it is disabled, as ordered. 'sluice backend "
			"enable' takes that back.");
	else if (facts->entry->admin == SL_DRAINING)
		snprintf(why->finding, sizeof(why->finding),
			 "No new connection reaches it: the name %s no longer stands for this "
			 "address. Connections that are open have some time to end.",
			 facts->plan->backend ? facts->plan->backend : "of the backend");
	else
		return false;
	return true;
}

static void note_dns(struct why *why, const struct why_facts *facts)
{
	const struct board_name *dns = facts->dns;

	if (!dns || dns->state == NAME_PENDING)
		return;
	if (dns->state == NAME_KEPT)
		note(why, "DNS: %.100s (asked %.60s); the last known addresses stay in use.",
		     dns->why, dns->servers);
	else if (dns->why[0])
		note(why, "DNS: %.100s (asked %.60s).", dns->why, dns->servers);
	else
		note(why, "DNS: found under %.100s, asked again every %" PRIu32 " s (%.60s).",
		     facts->plan->backend ? facts->plan->backend : "", dns->ttl_s, dns->servers);
}

static void note_state(struct why *why, const struct why_facts *facts)
{
	const struct health *health = &facts->entry->health;
	char age[DURATION_LEN];

	note_dns(why, facts);
	if (facts->removed)
		note(why,
		     "Nothing is guarded: the gate was removed under the running daemon. Start "
		     "sluiced again to have it back.");
	if (health->shown != health->proven)
		note(why,
		     "The prober is in trouble: health is shown as %s, and the gate keeps the "
		     "last proven state, %s.",
		     health_name(health->shown), health_name(health->proven));
	if (health->forced)
		note(why, "Forced open by min_servers: too few of its pool are healthy.");
	if (facts->entry->adopted && age_of_before(age, facts))
		note(why,
		     "The daemon was restarted: this is what was known %s ago, not yet probed since; "
		     "the next probe confirms it or not.",
		     age);
	else if (facts->entry->adopted)
		note(why, "The daemon was restarted; health was adopted from the kernel and is "
			  "confirmed by the next probe.");
	if (facts->meta->mode == SL_MODE_OBSERVE)
		note(why, "Mode is observe: the gate decides and counts, and everything passes.");
	if (daemon_is_lost(facts))
		note(why,
		     "The daemon's heartbeat is %s old; the kernel acts by on_daemon_loss: %s.",
		     duration_human(age, heartbeat_age_ns(facts) / NS_PER_MS),
		     facts->meta->on_daemon_loss == SL_LOSS_OPEN ? "open" : "hold");
	if (gate_is_closed(facts))
		note(why, "Connections that were open before are %s (established: %s).",
		     facts->settings->reset_established ? "reset" : "left alone",
		     facts->settings->reset_established ? "reset" : "keep");
}

/* What clients fare says nothing about what is asked on an open connection; but it is a hint. */
static void note_clients(struct why *why, const struct why_facts *facts)
{
	const struct traffic *lately = &why->lately;
	char count[DISAGREE_COUNT_LEN], window[DURATION_LEN];
	bool asked = why->newest.stage > STAGE_CONNECT && !message_passed(why->newest.code);

	if (!why->window_ms || why->disagreement.cause != CAUSE_REACHABLE)
		return;
	duration_human(window, why->window_ms);
	if (asked && traffic_works(lately))
		note(why,
		     "Clients connect: within %s, %s. If what they ask is answered, it is the probe's "
		     "request that is wrong.",
		     window, disagree_count(count, lately));
	else if (traffic_fails(lately) && facts->entry->health.proven != SL_UNHEALTHY)
		note(why, "Clients fail, too: within %s, %s.", window,
		     disagree_count(count, lately));
	if (lately->reset && lately->reset >= lately->answered / 2)
		note(why,
		     "Of %" PRIu32 " connections of clients within %s the endpoint reset %" PRIu32
		     ".",
		     lately->answered, window, lately->reset);
}

static void note_stretch(struct why *why, const struct why_facts *facts)
{
	uint32_t stretch = facts->entry->stretch;
	char interval[DURATION_LEN];

	if (stretch > 1)
		note(why, "Clients connect and none fails: it is probed every %s only.",
		     duration_human(interval, (uint64_t)facts->plan->interval_ms * stretch));
}

static void note_traffic(struct why *why, const struct why_facts *facts)
{
	const struct sl_endpoint_stats *stats = facts->stats;

	if (!stats) {
		note(why, "The kernel's counters could not be read.");
		return;
	}
	if (!stats->packets)
		note(why, "No packet of a client has been addressed to it since its counters "
			  "began.");
	if (stats->limited)
		note(why,
		     "%" PRIu64 " packet%s went without an answer because the reply budget was "
		     "spent (gateway.reply_rate).",
		     (uint64_t)stats->limited, plural(stats->limited));
	if (stats->icmp_errors)
		note(why,
		     "%" PRIu64 " ICMP error%s came back about packets of clients: look for a "
		     "closed port, a filter or a missing route on the way.",
		     (uint64_t)stats->icmp_errors, plural(stats->icmp_errors));
	if (facts->entry->health.proven == SL_HEALTHY && stats->rejected + stats->dropped)
		note(why, "The rejected and dropped packets date from when it was unhealthy.");
}

/* Whether probes and clients say the same; what to do about it comes before the verdict's advice. */
static void compare_with_clients(struct why *why, const struct why_facts *facts)
{
	const struct traffic_mark *mark = &facts->entry->mark;
	uint64_t now_ms = facts->mono_ns / NS_PER_MS;
	struct disagree_facts compared = {
		.plan = facts->plan,
		.endpoint = facts->endpoint,
		.entry = facts->entry,
	};

	if (facts->traffic && mark->set && now_ms > mark->mono_ms) {
		why->window_ms = compared.window_ms = now_ms - mark->mono_ms;
		why->lately = compared.lately = traffic_since(facts->traffic, mark);
	}
	disagree(&why->disagreement, &compared);
}

void why_explain(struct why *ret_why, const struct why_facts *facts)
{
	*ret_why = (struct why){ .newest = why_newest(facts->entry) };
	ret_why->advice = advice_for(&ret_why->newest);
	message_format(ret_why->message, facts->plan, &ret_why->newest);

	compare_with_clients(ret_why, facts);
	if (find_seat(ret_why, facts)) {
		note_state(ret_why, facts);
		return;
	}
	switch (facts->entry->health.proven) {
	case SL_UNHEALTHY:
		find_unhealthy(ret_why, facts);
		break;
	case SL_HEALTHY:
		find_healthy(ret_why, facts);
		break;
	case SL_UNKNOWN:
		find_unknown(ret_why, facts);
		break;
	}

	note_state(ret_why, facts);
	note_clients(ret_why, facts);
	note_stretch(ret_why, facts);
	note_traffic(ret_why, facts);
}

struct verdict why_newest(const struct board_entry *entry)
{
	if (!entry->recent[0].at_ms)
		return (struct verdict){ .code = SL_MSG_PROBE_PENDING };
	return entry->recent[0].verdict;
}

const char *why_action_name(enum sl_action action)
{
	static const char *const names[] = {
		[SL_ACTION_PASS] = "pass",
		[SL_ACTION_REJECT] = "reject",
		[SL_ACTION_DROP] = "drop",
	};

	return names[action];
}
