// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_grpc - any bytes as a health service's answer: as frames, and as the message in them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
	if (!truth)
		abort();
}

static void drain(struct grpc *grpc)
{
	const uint8_t *data;

	while (h2_output(grpc->h2, &data) > 0)
		;
}

static void parse_message(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	uint32_t health = UINT32_MAX;

	must(copy != NULL);
	memcpy(copy, data, size);
	(void)grpc_parse_answer(&health, copy, size);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan plan = { .protocol = PROTO_GRPC, .host = "h", .path = "/s" };
	struct verdict v = { 0 };
	struct grpc grpc;
	size_t max;
	bool known = false;

	if (!size)
		return 0;
	parse_message(data + 1, size - 1);
	max = (size_t)data[0] + 1;
	must(grpc_init(&grpc, &plan) == 0);
	drain(&grpc);
	for (size_t at = 1; at < size && !known; at += max) {
		known = grpc_receive(&grpc, data + at, size - at < max ? size - at : max, &v);
		drain(&grpc);
	}
	if (!known)
		grpc_end(&grpc, END_ORDERLY, 0, &v);
	must(strlen(v.detail) < sizeof(v.detail) && message_id(v.code) != NULL);
	for (const char *c = v.detail; *c; c++)
		must(*c >= ' ' && *c <= '~');
	grpc_done(&grpc);
	return 0;
}
