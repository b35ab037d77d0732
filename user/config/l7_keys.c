// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/l7_keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "util/cleanup.h"
#include "util/err.h"

/* Takes text over. */
static int keep(char ***list, uint32_t *n, char *text)
{
	char **grown = text ? reallocarray(*list, *n + 1, sizeof(*grown)) : NULL;

	if (!grown) {
		free(text);
		return -ENOMEM;
	}
	*list = grown;
	grown[(*n)++] = text;
	return 0;
}

/* As a Host header has it: an IPv6 literal in brackets; names in lower case, without a final dot. */
static char *host_of(const char *text)
{
	bool bare = strchr(text, ':') && text[0] != '[';
	char *host;
	size_t len;

	if (asprintf(&host, bare ? "[%s]" : "%s", text) < 0)
		return NULL;
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	len = strlen(host);
	if (len && host[len - 1] == '.')
		host[len - 1] = '\0';
	return host;
}

int keep_host(void *record, const struct value *item, struct err *err)
{
	struct l7_listener *listener = &((struct service *)record)->l7;
	CLEANUP(free_p) char *host = host_of(item->text);

	if (!host)
		return -ENOMEM;
	for (uint32_t i = 0; i < listener->n_hosts; i++)
		if (!strcmp(listener->hosts[i], host))
			return err_set(err, -EEXIST, "is in the list already; allowed: each once");
	return keep(&listener->hosts, &listener->n_hosts, take_ptr(host));
}

int keep_certificate(void *record, const struct value *item, struct err *err)
{
	struct l7_listener *listener = &((struct service *)record)->l7;
	char *path;

	(void)err;
	if (asprintf(&path, "%s%s", item->directory, item->text) < 0)
		return -ENOMEM;
	return keep(&listener->certificates, &listener->n_certificates, path);
}
