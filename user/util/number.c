// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

int number_parse(uint64_t *ret_number, const char *text, uint64_t min, uint64_t max)
{
	unsigned long long number;
	char *end;

	/* strtoull() would accept signs and blanks in front. */
	if (!isdigit((unsigned char)*text))
		return -EINVAL;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || number < min || number > max)
		return -ERANGE;

	*ret_number = number;
	return 0;
}
