/* SPDX-License-Identifier: GPL-2.0-or-later */
/* body - what a client sent behind the header of its request. */
#ifndef SLUICE_CONTROL_BODY_H
#define SLUICE_CONTROL_BODY_H

#include <stdbool.h>
#include <stddef.h>

#define BODY_MAX 4096 /* more than any change takes */
#define BODY_LOST_MAX \
	65536 /* what is longer by no more than that is read to its end, to be refused then */

struct body {
	char data[BODY_MAX];
	size_t len;
	size_t lost; /* 0: it is whole */
};

/* False: it goes on and on. */
bool body_add(struct body *body, const char *data, size_t n);

#endif
