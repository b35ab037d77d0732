// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"

#define ENTRY_MAX_BYTES 8192

struct entry {
	char data[ENTRY_MAX_BYTES];
	size_t len;
};

/* A line end would begin another field, of whoever wrote the value. */
static int add(struct entry *entry, const struct journal_field *field)
{
	size_t room = sizeof(entry->data) - entry->len;
	char *start = entry->data + entry->len, *line_end;
	int n;

	if (!field->value || !*field->value)
		return 0;
	n = snprintf(start, room, "%s=%s", field->name, field->value);
	if (n < 0 || (size_t)n + 1 >= room)
		return -EMSGSIZE;
	while ((line_end = strchr(start, '\n')))
		*line_end = ' ';
	start[n] = '\n';
	entry->len += (size_t)n + 1;
	return 0;
}

int journal_send(const char *path, const struct journal_field fields[], size_t n_fields)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct entry entry = { .len = 0 };
	CLEANUP(close_p) int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	for (size_t i = 0; i < n_fields; i++) {
		r = add(&entry, &fields[i]);
		if (r < 0)
			return r;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, entry.data, entry.len, MSG_NOSIGNAL, (const struct sockaddr *)&address,
		   sizeof(address)) < 0)
		return -errno;
	return 0;
}
