// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/body.h"

#include <string.h>

bool body_add(struct body *body, const char *data, size_t n)
{
	if (n > sizeof(body->data) - body->len) {
		body->lost += n;
		return body->lost <= BODY_LOST_MAX;
	}
	memcpy(body->data + body->len, data, n);
	body->len += n;
	return true;
}
