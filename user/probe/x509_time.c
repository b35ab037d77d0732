// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/x509_time.h"

#include <stdio.h>
#include <time.h>

int64_t x509_time(const ASN1_TIME *time)
{
	struct tm tm;

	if (!time || !ASN1_TIME_to_tm(time, &tm))
		return X509_TIME_BAD;
	return timegm(&tm);
}

const char *x509_time_format(char buf[X509_TIME_LEN], int64_t unix_s)
{
	time_t time = unix_s;
	struct tm tm;

	if (unix_s == X509_TIME_BAD || !gmtime_r(&time, &tm) ||
	    !strftime(buf, X509_TIME_LEN, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(buf, X509_TIME_LEN, "an invalid date");
	return buf;
}
