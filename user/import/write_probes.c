// SPDX-License-Identifier: GPL-2.0-or-later
/* write_probes - custom probes. */
#include <ctype.h>
#include <string.h>

#include "config/value.h"
#include "import/work.h"

#define STATUS_LEN 512

static bool speaks_http(const struct item *probe)
{
	return probe->protocol == PROTO_HTTP || probe->protocol == PROTO_HTTPS;
}

static void write_host(struct work *work, const struct item *probe)
{
	struct prop *host = prop_field(probe->at, "host");
	struct prop *picks[] = {
		prop_field(probe->at, "pickHostNameFromBackendHttpSettings"),
		prop_field(probe->at, "pickHostNameFromBackendSettings"),
	};

	if (probe->protocol == PROTO_TCP && !probe->off) {
		if (work_text(work, host))
			put_none(work, host, "a TCP probe asks for no host");
	} else {
		put_leaf(work, host, SECTION_PROBE, "host");
	}
	for (size_t i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
		bool is_on = work_is_on(work, picks[i]);

		if (is_on && !probe->host_from_settings)
			put_none(work, picks[i],
				 work_text(work, host) ? "the probe has a host of its own"
						       : "a TCP probe asks for no host");
		else
			put_leaf(work, picks[i], SECTION_PROBE, "host_from_settings");
	}
}

/* What may not stand in the path of a request, as "%20". */
static const char *encode_path(struct work *work, const char *path)
{
	CLEANUP(free_p) char *encoded = NULL;
	size_t len;
	FILE *out = open_memstream(&encoded, &len);

	if (!out) {
		work->oom = true;
		return path;
	}
	if (*path != '/')
		fputc('/', out);
	for (; *path; path++) {
		unsigned char byte = (unsigned char)*path;

		if (isgraph(byte) && isascii(byte))
			fputc(byte, out);
		else
			fprintf(out, "%%%02X", (unsigned int)byte);
	}
	if (fclose(out)) {
		work->oom = true;
		return "/";
	}
	return work_say(work, "%s", encoded);
}

static void write_path(struct work *work, const struct item *probe)
{
	struct prop *path = prop_field(probe->at, "path");
	const char *text = work_text(work, path), *encoded;

	if (!text)
		return;
	if (!speaks_http(probe) && !probe->off) {
		put_none(work, path, "the probe asks for no path: it speaks no HTTP");
		return;
	}
	encoded = encode_path(work, text);
	put_text(work, path, 0, SECTION_PROBE, "path", encoded,
		 strcmp(encoded, text) ? "written as it goes into a request" : NULL);
}

/* Add one code or range to the list, if the list still is one with it. */
static bool add_status(char list[STATUS_LEN], const char *text)
{
	const struct key *key = keys_find(SECTION_MATCH, "status");
	char longer[STATUS_LEN];
	struct value value;
	int n = snprintf(longer, sizeof(longer), "%s%s%s", list, *list ? "," : "", text);

	if (n >= STATUS_LEN || value_parse(&value, key, longer, ""))
		return false;
	memcpy(list, longer, sizeof(longer));
	return true;
}

static void write_status(struct work *work, struct prop *codes)
{
	char list[STATUS_LEN] = "";
	CLEANUP(free_p) char *scalar = NULL;

	for (uint32_t i = 0; codes && i < codes->n_children; i++) {
		const char *text = work_text(work, &codes->children[i]);

		if (!text)
			continue;
		if (!add_status(list, text))
			put_none(work, &codes->children[i],
				 work_say(work,
					  "'%.40s' is no status code or range of codes, or "
					  "there are too many",
					  text));
		else
			prop_tell(&work->tree, &codes->children[i],
				  work->off ? OUTCOME_NONE : OUTCOME_CARRIED, "%s",
				  work->off ? work->off : "probes[].match.status");
	}
	if (!*list)
		return;
	scalar = emit_scalar(list);
	work->oom = work->oom || !scalar;
	emit_line(&work->emit, 1, "status", scalar ? scalar : "", NULL);
}

/* The beginning of a text, not longer than a body to look for may be. */
static void write_body(struct work *work, struct prop *body)
{
	const char *text = work_text(work, body);
	size_t len = text ? strlen(text) : 0;

	if (len <= LIMIT_MATCH_BODY_BYTES) {
		if (text)
			put_text(work, body, 1, SECTION_MATCH, "body", text, NULL);
		return;
	}
	/* Not within a character of several bytes. */
	for (len = LIMIT_MATCH_BODY_BYTES; len && (text[len] & 0xc0) == 0x80;)
		len--;
	put_text(work, body, 1, SECTION_MATCH, "body", work_say(work, "%.*s", (int)len, text),
		 work_say(work, "the first %zu bytes of %zu", len, strlen(text)));
}

static bool has_status(struct work *work, const struct prop *codes)
{
	char list[STATUS_LEN] = "";

	for (uint32_t i = 0; codes && i < codes->n_children; i++) {
		const char *text = work_text(work, &codes->children[i]);

		if (text && add_status(list, text))
			return true;
	}
	return false;
}

static void write_match(struct work *work, const struct item *probe)
{
	struct prop *match = prop_field(probe->at, "match");
	struct prop *codes = prop_child(match, "statusCodes"), *body = prop_child(match, "body");

	if (!match)
		return;
	if (!speaks_http(probe) && !probe->off) {
		if (codes || body)
			put_none(work, match,
				 "nothing is answered that could match: the probe "
				 "speaks no HTTP");
		return;
	}
	/* A mapping with nothing in it would be no mapping. */
	if (has_status(work, codes) || work_text(work, body))
		emit_line(&work->emit, 0, "match", "", NULL);
	write_status(work, codes);
	write_body(work, body);
}

static void write_probe(struct work *work, struct item *probe)
{
	struct prop *at = probe->at;

	put_record(work, prop_child(at, "name"), probe->label, probe->name, probe->off);
	put_protocol(work, prop_field(at, "protocol"), SECTION_PROBE);
	write_host(work, probe);
	write_path(work, probe);
	put_number(work, prop_field(at, "port"), 0, SECTION_PROBE, "port");
	put_number(work, prop_field(at, "interval"), 0, SECTION_PROBE, "interval");
	put_number(work, prop_field(at, "timeout"), 0, SECTION_PROBE, "timeout");
	put_number(work, prop_field(at, "unhealthyThreshold"), 0, SECTION_PROBE,
		   "unhealthy_threshold");
	put_number(work, prop_field(at, "minServers"), 0, SECTION_PROBE, "min_servers");
	put_leaf(work, prop_field(at, "enableProbeProxyProtocolHeader"), SECTION_PROBE,
		 "proxy_protocol");
	write_match(work, probe);
	put_rest(work, at);
}

void write_probes(struct work *work)
{
	struct items *probes = &work->items[KIND_PROBE];

	if (probes->n)
		emit_section(&work->emit, "probes");
	for (uint32_t i = 0; i < probes->n; i++)
		write_probe(work, &probes->list[i]);
}
