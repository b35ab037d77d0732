// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/mapread.h"

#include <bpf/bpf.h>
#include <errno.h>

int map_reader_next(struct map_reader *reader, void *ret_keys, void *ret_values, uint32_t *ret_n)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	void *from = reader->has_begun ? &reader->position : NULL;
	__u32 n = reader->at_once;
	int more = 1;

	*ret_n = 0;
	if (bpf_map_lookup_batch(reader->fd, from, &reader->position, ret_keys, ret_values, &n,
				 &opts) < 0) {
		if (errno != ENOENT)
			return -errno;
		more = 0;
	}
	reader->has_begun = true;
	*ret_n = n;
	return more;
}
