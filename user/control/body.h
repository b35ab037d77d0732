/* SPDX-License-Identifier: GPL-2.0-or-later */
/* body - what a client sent behind the header of its request. */
#ifndef SLUICE_CONTROL_BODY_H
#define SLUICE_CONTROL_BODY_H

#include <stdbool.h>
#include <stddef.h>

#define BODY_MAX 4096 /* more than any change takes */

struct body {
	char data[BODY_MAX];
	size_t len;
	bool too_long; /* what was too much is lost */
};

void body_add(struct body *body, const char *data, size_t n);

#endif
