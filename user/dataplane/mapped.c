// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/mapped.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int mapped_open(struct mapped *ret_mapped, int fd, size_t value_size, uint32_t entries)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (value_size * entries + page - 1) / page * page;
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (start == MAP_FAILED)
		return -errno;
	*ret_mapped = (struct mapped){ .start = start, .bytes = bytes };
	return 0;
}

void mapped_close(struct mapped *mapped)
{
	if (mapped->start)
		munmap(mapped->start, mapped->bytes);
	*mapped = (struct mapped){ 0 };
}
