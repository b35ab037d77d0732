/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell - what happened, told twice: to the log, with fields where that is the journal, and to the
 * events that are kept.
 */
#ifndef SLUICE_DAEMON_TELL_H
#define SLUICE_DAEMON_TELL_H

#include "model/damper.h"
#include "model/model.h"
#include "store/events.h"

struct attachment;
struct change_giver;
struct dataplane;
struct gateway;

/* Any thread. events may be NULL: only the log. line: what the log says; NULL: the event's text. */
void tell(struct events *events, const struct event *event, const char *line);

/* An events_tell_fn: what the thread that keeps events says of itself. */
void tell_store(void *arg, const struct event *event);

/* Start to keep events as the gateway says. -errno of events_open(), err set. */
int tell_open(struct events **ret, const struct gateway *gateway, struct err *err);

/* Of the daemon: "ready: …", "stopped; …". state: "started", "stopped", "failed". */
void tell_daemon(struct events *events, enum event_severity severity, const char *state,
		 const char *line);

/* Add who it was, if that is known: "uid", "pid". */
void tell_giver(struct event *event, const struct change_giver *giver);

/* Of a reload: done, or refused; who gave it is added to the line. */
void tell_reload(struct events *events, bool done, const char *line,
		 const struct change_giver *giver);

/* Of an interface: lost, or of the whole gate. */
void tell_interface(struct events *events, enum event_severity severity, const char *reason,
		    const char *line);

/*
 * How interfaces are attached: events of those that were not so before, or are no more; the log says it of all,
 * unless only_news.
 */
#define TELL_INTERFACE_LEN 96
struct tell_interfaces {
	struct told_interface {
		char name[IFNAMSIZ];
		char line[TELL_INTERFACE_LEN]; /* as told last */
		const char *state; /* as it was last, told or not */
		struct damper damper;
	} of[LIMIT_INTERFACES];
	uint32_t n;
};
void tell_attachments(struct events *events, struct tell_interfaces *known,
		      const struct dataplane *dataplane, bool only_news);

/* What became of one that is known, now and then summed up. */
void tell_attachment(struct events *events, struct tell_interfaces *known,
		     const struct attachment *attachment);
void tell_held_attachments(struct events *events, struct tell_interfaces *known, uint64_t now_ms);

#endif
