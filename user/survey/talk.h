/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk - whether what is said on a connection arrives, and whether it is answered.
 *
 * The request is sent in full and never completed by more; the connection is reset afterwards.
 */
#ifndef SLUICE_SURVEY_TALK_H
#define SLUICE_SURVEY_TALK_H

#include <stddef.h>

#include "survey/way.h"

/* Plain data. */
struct talk {
	bool done, connected;
	bool acked; /* the other side's TCP has all that was sent */
	bool answered; /* it said something back, be it that it closes */
};

/* -errno: no socket could be had. */
int talk_try(struct talk *ret_talk, const struct way *way, const char *request, size_t len,
	     uint32_t wait_ms);

#endif
