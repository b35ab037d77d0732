// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/filter.h"

#include <errno.h>
#include <linux/capability.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/printable.h"

/* A ruleset that is longer than this is not read: it is a list of addresses. */
#define RULESET_MAX (64u << 20)
#define COMMAND_LEN 256
#define HANDLE_LEN 40

struct filter {
	json_t *ruleset;
};

static void ctx_p(struct nft_ctx **ctx)
{
	if (*ctx)
		nft_ctx_free(*ctx);
}

static struct nft_ctx *open_ctx(unsigned int flags)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);

	if (!ctx)
		return NULL;
	nft_ctx_output_set_flags(ctx, flags);
	if (nft_ctx_buffer_output(ctx) || nft_ctx_buffer_error(ctx)) {
		nft_ctx_free(ctx);
		return NULL;
	}
	return ctx;
}

/* Errors are words only; the one that matters is recognised by them. */
static int error_of(struct nft_ctx *ctx)
{
	const char *said = nft_ctx_get_error_buffer(ctx);

	return said && strstr(said, "not permitted") ? -EPERM : -EPROTO;
}

/* Asked first: the library tells whoever may not on standard error, which is not its to write. */
static bool may_read(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

int filter_read(struct filter **ret)
{
	CLEANUP(ctx_p) struct nft_ctx *ctx = NULL;
	const char *text;
	struct filter *filter;
	json_t *ruleset;

	if (!may_read())
		return -EPERM;
	ctx = open_ctx(NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_PROTO |
		       NFT_CTX_OUTPUT_NUMERIC_PRIO);
	if (!ctx)
		return -ENOMEM;
	if (nft_run_cmd_from_buffer(ctx, "list ruleset"))
		return error_of(ctx);
	text = nft_ctx_get_output_buffer(ctx);
	if (!text || strnlen(text, RULESET_MAX) == RULESET_MAX)
		return text ? -EFBIG : -EPROTO;
	ruleset = json_loads(text, 0, NULL);
	if (!ruleset)
		return -EPROTO;
	filter = calloc(1, sizeof(*filter));
	if (!filter) {
		json_decref(ruleset);
		return -ENOMEM;
	}
	filter->ruleset = ruleset;
	*ret = take_ptr(filter);
	return 0;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	json_decref(filter->ruleset);
	free(filter);
}

/* --- the rule's own words ---------------------------------------------------------------------- */

/* The line that ends with "# handle N", without what stands before and behind it. */
static void cut_line(char ret_text[FILTER_TEXT_LEN], const char *listing, uint64_t handle)
{
	char wanted[HANDLE_LEN];
	const char *at = listing, *start;
	size_t len;

	len = (size_t)snprintf(wanted, sizeof(wanted), " # handle %llu",
			       (unsigned long long)handle);
	while ((at = strstr(at, wanted))) {
		if (at[len] == '\n')
			break;
		at += len;
	}
	if (!at)
		return;
	for (start = at; start > listing && start[-1] != '\n'; start--)
		;
	start += strspn(start, " \t");
	snprintf(ret_text, FILTER_TEXT_LEN, "%.*s", (int)(at - start), start);
	printable_clean(ret_text);
}

static void find_text(struct nft_ctx *ctx, struct filter_match *match)
{
	char command[COMMAND_LEN];
	const char *listing;

	snprintf(command, sizeof(command), "list chain %s %s %s", match->family, match->table,
		 match->chain);
	if (nft_run_cmd_from_buffer(ctx, command))
		return;
	listing = nft_ctx_get_output_buffer(ctx);
	if (listing)
		cut_line(match->text, listing, match->handle);
}

void filter_follow(const struct filter *filter, const struct filter_packet *packet,
		   const char *const hooks[], struct filter_report *report)
{
	CLEANUP(ctx_p) struct nft_ctx *ctx = NULL;
	uint32_t before = report->n;

	if (!filter)
		return;
	filter_judge(filter->ruleset, packet, hooks, report);
	if (report->n == before)
		return;
	ctx = open_ctx(NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS);
	for (uint32_t i = before; ctx && i < report->n; i++)
		if (!report->of[i].is_policy)
			find_text(ctx, &report->of[i]);
}

bool filter_has_legacy(void)
{
	static const char *const files[] = { "/proc/self/net/ip_tables_names",
					     "/proc/self/net/ip6_tables_names" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		CLEANUP(fclose_p) FILE *file = fopen(files[i], "re");

		if (file && fgetc(file) != EOF)
			return true;
	}
	return false;
}
