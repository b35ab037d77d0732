// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pinned.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/mapset.h"
#include "util/cleanup.h"

/* A daemon of another version may have pinned it: sizes are not taken for granted. */
static int read_map(const char *bpffs, const char *name, const void *key, size_t key_size,
		    void *ret_value, size_t value_size)
{
	char path[PATH_MAX];
	CLEANUP(close_p) int fd = -1;

	if (snprintf(path, sizeof(path), "%s/v%d/maps/%s", bpffs, SL_LAYOUT, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	return map_read(fd, key, key_size, ret_value, value_size);
}

int pinned_find(struct pinned_endpoint *ret_endpoint, const char *bpffs, const struct addr *addr,
		uint16_t port, enum sl_proto proto)
{
	struct sl_target_key key = { .port = port, .proto = proto };
	struct pinned_endpoint endpoint = { .observed = false };
	const __u32 zero = 0;
	struct sl_endpoint_name name;
	struct sl_target target;
	struct sl_meta meta;
	int r;

	memcpy(key.addr, addr->bytes, sizeof(key.addr));
	r = read_map(bpffs, "targets", &key, sizeof(key), &target, sizeof(target));
	if (r < 0)
		return r;
	if (target.kind != SL_TARGET_ENDPOINT)
		return -ENOENT;
	r = read_map(bpffs, "endpoint_words", &target.id, sizeof(target.id), &endpoint.word,
		     sizeof(endpoint.word));
	if (r == 0)
		r = read_map(bpffs, "endpoint_names", &target.id, sizeof(target.id), &name,
			     sizeof(name));
	if (r == 0)
		r = read_map(bpffs, "meta", &zero, sizeof(zero), &meta, sizeof(meta));
	if (r < 0)
		return r;
	endpoint.observed = meta.mode == SL_MODE_OBSERVE;
	snprintf(endpoint.pool, sizeof(endpoint.pool), "%.*s", SL_NAME_LEN - 1, name.pool);
	*ret_endpoint = endpoint;
	return 0;
}

bool pinned_refuses(const struct pinned_endpoint *endpoint)
{
	const struct sl_word *word = &endpoint->word;

	if (endpoint->observed || word->action == SL_ACTION_PASS)
		return false;
	if (word->admin != SL_ENABLED)
		return true;
	return word->health == SL_UNHEALTHY && !(word->flags & SL_WORD_FORCED);
}
