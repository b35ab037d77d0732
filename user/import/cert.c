// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cert - a certificate of the export as PEM, handed to whoever keeps it.
 *
 * The export has it in base64, which is the certificate itself or a PEM file once more.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "import/work.h"
#include "util/err.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"
#define PEM_LINE 64

static int digit_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *digit = c ? strchr(digits, c) : NULL;

	return digit ? (int)(digit - digits) : -EINVAL;
}

/* Base64 without blanks, into a text; -EINVAL: it is something else, or holds a NUL. */
static int decode(char **ret, const char *base64)
{
	CLEANUP(free_p) char *text = malloc(strlen(base64) + 1);
	uint32_t bits = 0;
	size_t len = 0, n = 0;

	if (!text)
		return -ENOMEM;
	for (; *base64 && *base64 != '='; base64++) {
		int value = digit_value(*base64);

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		if (++n % 4 != 1)
			text[len++] = (char)(bits >> (2 * (3 - (n - 1) % 4)));
	}
	text[len] = '\0';
	*ret = take_ptr(text);
	return 0;
}

static char *without_blanks(const char *text)
{
	char *copy = malloc(strlen(text) + 1), *end = copy;

	for (; copy && *text; text++)
		if (!isspace((unsigned char)*text))
			*end++ = *text;
	if (copy)
		*end = '\0';
	return copy;
}

/* The base64 of a certificate, in the lines that PEM has. */
static int wrap(char **ret, const char *base64)
{
	CLEANUP(free_p) char *pem = NULL;
	size_t len;
	FILE *out = open_memstream(&pem, &len);

	if (!out)
		return -ENOMEM;
	fputs(PEM_BEGIN "\n", out);
	for (size_t at = 0, end = strlen(base64); at < end; at += PEM_LINE)
		fprintf(out, "%.*s\n", PEM_LINE, base64 + at);
	fputs(PEM_END "\n", out);
	if (fclose(out))
		return -ENOMEM;
	*ret = take_ptr(pem);
	return 0;
}

static int to_pem(char **ret, const char *data)
{
	CLEANUP(free_p) char *base64 = NULL;
	CLEANUP(free_p) char *inner = NULL;
	int r;

	if (strstr(data, PEM_BEGIN)) {
		*ret = strdup(data);
		return *ret ? 0 : -ENOMEM;
	}
	base64 = without_blanks(data);
	if (!base64)
		return -ENOMEM;
	r = decode(&inner, base64);
	if (r < 0)
		return r;
	if (!strstr(inner, PEM_BEGIN))
		return wrap(ret, base64);
	*ret = take_ptr(inner);
	return 0;
}

static void keep(struct work *work, struct item *item, struct prop *data)
{
	CLEANUP(free_p) char *pem = NULL;
	const char *text = work_text(work, data);
	struct err err = { "" };
	int r;

	if (!text) {
		item->unkept = "the export does not hold the certificate";
		return;
	}
	if (!work->options->keep) {
		item->unkept = "without --certs DIRECTORY, certificates are not written";
		return;
	}
	r = to_pem(&pem, text);
	if (r >= 0)
		r = work->options->keep(work->options->arg, item->name, pem, &item->file, &err);
	if (r == -ENOMEM)
		work->oom = true;
	if (r < 0)
		item->unkept = err.text[0] ? work_say(work, "%s", err.text)
					   : "the certificate is not in base64";
}

const char *cert_keep(struct work *work, struct item *item)
{
	struct prop *data = prop_field(item->at, "data");

	if (!item->file && !item->unkept) {
		keep(work, item, data);
		prop_tell(&work->tree, data, item->file ? OUTCOME_CARRIED : OUTCOME_NONE, "%s",
			  item->file ? item->file : item->unkept);
		prop_tell(&work->tree, prop_child(item->at, "name"),
			  item->file ? OUTCOME_CARRIED : OUTCOME_NONE, "%s",
			  item->file ? "the file's name" : item->unkept);
	}
	return item->file;
}
