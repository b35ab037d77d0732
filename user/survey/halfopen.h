/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * halfopen - what a target makes of a segment that belongs to an unanswered connection attempt.
 *
 * A SYN without an answer was dropped on the way, dropped by the target, or answered in vain. Two
 * more segments of the same connection, outside its window, tell them apart: to another SYN, who has
 * kept the half-open connection acknowledges what it expects instead; to an ACK, who has not, but
 * listens, answers with RST.
 */
#ifndef SLUICE_SURVEY_HALFOPEN_H
#define SLUICE_SURVEY_HALFOPEN_H

#include "survey/way.h"

enum halfopen {
	HALFOPEN_UNASKED, /* not permitted: it takes a raw socket */
	HALFOPEN_SILENT, /* these were not answered either */
	HALFOPEN_KEPT, /* the SYN came in: the answer to it is lost on the way back */
	HALFOPEN_UNKNOWN_THERE, /* TCP answers there, but nothing was kept of the SYN */
	HALFOPEN_ANSWERED, /* the SYN was answered after all */
};

/* -errno: our own trouble; not being permitted is none. */
int halfopen_ask(enum halfopen *ret_answer, const struct way *way, uint32_t wait_ms);

#endif
