// SPDX-License-Identifier: GPL-2.0-or-later
/* view_tls - what a document says about certificates and warnings. */
#include <inttypes.h>
#include <string.h>

#include "cli/text.h"
#include "cli/view.h"
#include "probe/catalogue.h"
#include "probe/message.h"
#include "util/clock.h"

/* Unix time of a member, 0: there is none. */
static int64_t get_time_s(const json_t *object, const char *key)
{
	return (int64_t)(text_parse_time(text_get(object, key)) / MS_PER_SEC);
}

const char *view_warning(char buf[VIEW_WARNING_LEN], const json_t *endpoint, const char *id,
			 uint64_t now_ms)
{
	const struct catalogue_row *row = catalogue_find_id(id);
	char text[MESSAGE_WARNING_LEN];

	/* A daemon of a later version may know more. */
	if (!row || !row->is_warning)
		snprintf(buf, VIEW_WARNING_LEN, "%s", id);
	else
		snprintf(buf, VIEW_WARNING_LEN, "%s",
			 message_warning(
				 text, row->warning,
				 get_time_s(json_object_get(endpoint, "tls"), "cert_not_after"),
				 (int64_t)(now_ms / MS_PER_SEC)));
	return buf;
}

static void print_also(const struct view *view, const json_t *endpoint)
{
	const json_t *also = json_object_get(endpoint, "also");
	json_t *id;
	size_t i;

	if (json_array_size(also))
		fputs("\nAlso wrong\n", view->out);
	json_array_foreach(also, i, id)
	{
		const char *text = json_is_string(id) ? json_string_value(id) : "";
		const struct catalogue_row *row = catalogue_find_id(text);

		fprintf(view->out, "  - %s%s%s\n", text, row ? ": " : "", row ? row->meaning : "");
	}
}

static void print_warnings(const struct view *view, const json_t *endpoint)
{
	const json_t *warnings = json_object_get(endpoint, "warnings");
	char text[VIEW_WARNING_LEN];
	json_t *id;
	size_t i;

	if (json_array_size(warnings))
		fputs("\nWarnings\n", view->out);
	json_array_foreach(warnings, i, id)
	{
		const char *name = json_is_string(id) ? json_string_value(id) : "";

		fprintf(view->out, "  - %s: %s\n", name,
			view_warning(text, endpoint, name, view->now_ms));
	}
}

static void print_cert(const struct view *view, const json_t *cert)
{
	int64_t now_s = (int64_t)(view->now_ms / MS_PER_SEC);
	int64_t not_after = get_time_s(cert, "not_after");
	char when[MESSAGE_WHEN_LEN];

	fprintf(view->out, "  %" PRIu64 " %s\n    issued by %s\n    valid %s to %s",
		text_get_uint(cert, "depth"), text_get(cert, "subject"), text_get(cert, "issuer"),
		text_get(cert, "not_before"), text_get(cert, "not_after"));
	if (not_after)
		fprintf(view->out, " (%s %s)",
			cert_has_expired(not_after, now_s) ? "EXPIRED" : "expires",
			message_when(when, not_after, now_s));
	fprintf(view->out, "\n    SHA-256 %s\n", text_get(cert, "sha256"));
}

void view_certificates(const struct view *view, const json_t *endpoint)
{
	const json_t *chain = json_object_get(endpoint, "chain");
	const json_t *openssl = json_object_get(endpoint, "openssl");
	json_t *cert;
	size_t i;

	print_also(view, endpoint);
	print_warnings(view, endpoint);
	if (json_array_size(chain))
		fputs("\nCertificates as sent\n", view->out);
	json_array_foreach(chain, i, cert) print_cert(view, cert);
	if (openssl)
		fprintf(view->out, "  OpenSSL: error %" PRIu64 " at depth %" PRIu64 ": %s\n",
			text_get_uint(openssl, "code"), text_get_uint(openssl, "depth"),
			text_get(openssl, "text"));
}
