// SPDX-License-Identifier: GPL-2.0-or-later
/* tell_interfaces - how interfaces are attached, as an event where that is new. */
#include <stdio.h>
#include <string.h>

#include "daemon/tell.h"
#include "dataplane/dataplane.h"
#include "util/clock.h"
#include "util/duration.h"
#include "util/log.h"

#define LINE_LEN (ATTACHMENT_WHY_LEN + TELL_INTERFACE_LEN + 64)

/* "ingress tcx, egress tcx": whether it was adopted makes no difference. */
static void describe(char line[TELL_INTERFACE_LEN], const struct attachment *a)
{
	snprintf(line, TELL_INTERFACE_LEN, "ingress %s, egress %s", attach_mode_name(a->ingress),
		 attach_mode_name(a->egress));
}

static struct told_interface *find(struct tell_interfaces *known, const char *name)
{
	for (uint32_t i = 0; i < known->n; i++)
		if (!strcmp(known->of[i].name, name))
			return &known->of[i];
	return NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void tell_attached(struct events *events, struct told_interface *told,
			  const struct attachment *a, bool only_news)
{
	char text[TELL_INTERFACE_LEN], line[LINE_LEN];
	bool is_known;

	describe(text, a);
	is_known = !strcmp(text, told->line);
	if (is_known && only_news)
		return;
	snprintf(line, sizeof(line), "%s: %s%s", a->interface, text,
		 a->adopted ? " (adopted)" : "");
	if (is_known)
		log_info("%s", line);
	else
		tell_interface(events, EVENT_INFO, "attached", line);
	memcpy(told->line, text, sizeof(told->line));
	for (uint32_t step = 0; step < a->n_steps; step++)
		log_info("%s: %s", a->interface, a->steps[step]);
}

static void tell_detached(struct events *events, struct tell_interfaces *known,
			  struct tell_interfaces *now)
{
	char line[LINE_LEN];

	for (uint32_t i = 0; i < known->n; i++) {
		if (find(now, known->of[i].name))
			continue;
		snprintf(line, sizeof(line), "%s: detached", known->of[i].name);
		tell_interface(events, EVENT_INFO, "detached", line);
	}
	if (!now->n)
		tell_interface(events, EVENT_WARNING, "nothing_guarded",
			       "no interface is attached: all packets pass unjudged, and services "
			       "get none");
}

void tell_attachments(struct events *events, struct tell_interfaces *known,
		      const struct dataplane *dataplane, bool only_news)
{
	struct tell_interfaces now = { .n = 0 };
	struct attachment a;

	while (now.n < LIMIT_INTERFACES && dataplane_attachment(dataplane, now.n, &a)) {
		const struct told_interface *before = find(known, a.interface);
		struct told_interface *told = &now.of[now.n++];

		if (before)
			*told = *before;
		snprintf(told->name, sizeof(told->name), "%s", a.interface);
		told->state = attachment_state_name(a.state);
		/* Whatever keeps it from being attached is told by tell_attachment(). */
		if (a.state == ATTACHMENT_ATTACHED)
			tell_attached(events, told, &a, only_news);
	}
	tell_detached(events, known, &now);
	*known = now;
}

/* --- one of them ------------------------------------------------------------------------------ */

static void tell_back(struct events *events, struct told_interface *told,
		      const struct attachment *a)
{
	char line[LINE_LEN], gap[DURATION_LEN] = "";
	bool is_known = a->lost_ms && a->since_ms >= a->lost_ms;

	if (is_known)
		duration_human(gap, a->since_ms - a->lost_ms);
	describe(told->line, a);
	snprintf(line, sizeof(line), "interface '%s' is guarded again%s%s: %s", a->interface,
		 is_known ? ", after " : "", gap, told->line);
	tell_interface(events, EVENT_INFO, "attached", line);
}

void tell_attachment(struct events *events, struct tell_interfaces *known,
		     const struct attachment *a)
{
	struct told_interface *told = find(known, a->interface);
	char line[LINE_LEN];

	if (!told)
		return;
	told->state = attachment_state_name(a->state);
	if (!damper_admit(&told->damper, clock_mono_ms()))
		return;
	if (a->state == ATTACHMENT_ATTACHED) {
		tell_back(events, told, a);
		return;
	}
	snprintf(line, sizeof(line), "interface '%s' is not guarded: %s", a->interface, a->why);
	tell_interface(events, EVENT_ERROR, told->state, line);
}

void tell_held_attachments(struct events *events, struct tell_interfaces *known, uint64_t now_ms)
{
	char line[LINE_LEN], window[DURATION_LEN];
	uint32_t held, window_ms;

	for (uint32_t i = 0; i < known->n; i++) {
		if (!damper_due(&known->of[i].damper, now_ms, &held, &window_ms))
			continue;
		snprintf(line, sizeof(line),
			 "interface '%s' changed %u more times within %s, and is %s now",
			 known->of[i].name, held, duration_human(window, window_ms),
			 known->of[i].state);
		tell_interface(events, EVENT_WARNING, "unsteady", line);
	}
}
