// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/chain_text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include "util/cleanup.h"

DEFINE_CLEANUP(BIO, BIO_free_all)
DEFINE_CLEANUP(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free)

#define IPV4_BYTES 4
#define IPV6_BYTES 16

/* Bytes above 127 stay as they are: the result is looked through as UTF-8. */
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB)

/* --- UTF-8 ------------------------------------------------------------------------------------ */

/* Lead bytes: how many bytes follow, which bits count, and the least that needs so many. */
static const struct utf8_form {
	uint8_t mask, lead, bits;
	uint8_t len;
	uint32_t least;
} utf8_forms[] = {
	{ 0x80, 0x00, 0x7f, 1, 0 },
	{ 0xe0, 0xc0, 0x1f, 2, 0x80 },
	{ 0xf0, 0xe0, 0x0f, 3, 0x800 },
	{ 0xf8, 0xf0, 0x07, 4, 0x10000 },
};

static const struct char_range {
	uint32_t first, last;
} unprintable[] = {
	{ 0x0, 0x1f }, /* C0 */
	{ 0x7f, 0x9f }, /* DEL, C1 */
	{ 0xad, 0xad }, /* soft hyphen */
	{ 0x61c, 0x61c }, /* Arabic letter mark */
	{ 0x200b, 0x200f }, /* zero width, direction marks */
	{ 0x2028, 0x202e }, /* line separators, embeddings and overrides */
	{ 0x2060, 0x206f }, /* invisible operators, isolates */
	{ 0xd800, 0xdfff }, /* surrogates */
	{ 0xfeff, 0xfeff }, /* byte order mark */
	{ 0xfff9, 0xffff }, /* annotations, replacement, noncharacters */
	{ 0xe0000, 0xe0fff }, /* tags */
	{ 0x110000, UINT32_MAX }, /* beyond Unicode */
};

static bool printable(uint32_t c)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
		if (c >= unprintable[i].first && c <= unprintable[i].last)
			return false;
	return true;
}

/* The length of the character that data begins with, or 0: it begins with none. */
static size_t char_len(const uint8_t *data, size_t len, bool *ret_printable)
{
	for (size_t i = 0; i < sizeof(utf8_forms) / sizeof(utf8_forms[0]); i++) {
		const struct utf8_form *form = &utf8_forms[i];
		uint32_t c = data[0] & form->bits;

		if ((data[0] & form->mask) != form->lead)
			continue;
		if (form->len > len)
			return 0;
		for (size_t k = 1; k < form->len; k++) {
			if ((data[k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (data[k] & 0x3f);
		}
		*ret_printable = printable(c);
		return c >= form->least ? form->len : 0;
	}
	return 0;
}

const char *chain_text(char *buf, size_t size, const uint8_t *data, size_t len)
{
	size_t out = 0;

	while (len) {
		bool good = false;
		size_t n = char_len(data, len, &good), step = n ? n : 1;
		size_t out_len = n && good ? n : 1;

		if (out + out_len >= size)
			break;
		if (n && good)
			memcpy(buf + out, data, n);
		else
			buf[out] = '?';
		out += out_len;
		data += step;
		len -= step;
	}
	buf[out] = '\0';
	return buf;
}

/* --- names ------------------------------------------------------------------------------------ */

const char *chain_text_name(char buf[CHAIN_TEXT_LEN], const X509_NAME *name)
{
	CLEANUP(BIO_free_all_p) BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	buf[0] = '\0';
	if (!bio || X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) < 0)
		return buf;
	len = BIO_get_mem_data(bio, &data);
	return len > 0 ? chain_text(buf, CHAIN_TEXT_LEN, (const uint8_t *)data, (size_t)len) : buf;
}

static const char *with_prefix(char buf[CHAIN_TEXT_LEN], const char *prefix,
			       const ASN1_STRING *string)
{
	size_t at = (size_t)snprintf(buf, CHAIN_TEXT_LEN, "%s", prefix);

	chain_text(buf + at, CHAIN_TEXT_LEN - at, ASN1_STRING_get0_data(string),
		   (size_t)ASN1_STRING_length(string));
	return buf;
}

static const char *ip_name(char buf[CHAIN_TEXT_LEN], const ASN1_OCTET_STRING *ip)
{
	int len = ASN1_STRING_length(ip);
	int family = len == IPV4_BYTES ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN] = "?";

	if (len == IPV4_BYTES || len == IPV6_BYTES)
		inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof(text));
	snprintf(buf, CHAIN_TEXT_LEN, "IP:%s", text);
	return buf;
}

static const char *directory_name(char buf[CHAIN_TEXT_LEN], const X509_NAME *name)
{
	char text[CHAIN_TEXT_LEN], whole[sizeof("DirName:") + CHAIN_TEXT_LEN];
	int len = snprintf(whole, sizeof(whole), "DirName:%s", chain_text_name(text, name));

	return chain_text(buf, CHAIN_TEXT_LEN, (const uint8_t *)whole, (size_t)len);
}

const char *chain_text_alt_name(char buf[CHAIN_TEXT_LEN], const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DNS:
		return with_prefix(buf, "DNS:", name->d.dNSName);
	case GEN_EMAIL:
		return with_prefix(buf, "email:", name->d.rfc822Name);
	case GEN_URI:
		return with_prefix(buf, "URI:", name->d.uniformResourceIdentifier);
	case GEN_IPADD:
		return ip_name(buf, name->d.iPAddress);
	case GEN_DIRNAME:
		return directory_name(buf, name->d.directoryName);
	default:
		snprintf(buf, CHAIN_TEXT_LEN, "other");
		return buf;
	}
}

bool chain_text_ca_issuers(char buf[CHAIN_TEXT_LEN], const X509 *x509)
{
	CLEANUP(AUTHORITY_INFO_ACCESS_free_p)
	AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(info); i++) {
		const ACCESS_DESCRIPTION *at = sk_ACCESS_DESCRIPTION_value(info, i);

		if (OBJ_obj2nid(at->method) != NID_ad_ca_issuers || at->location->type != GEN_URI)
			continue;
		with_prefix(buf, "", at->location->d.uniformResourceIdentifier);
		return true;
	}
	return false;
}

const char *chain_text_sha256(char buf[CHAIN_SHA256_LEN], const uint8_t sha256[CERT_SHA256_LEN])
{
	for (size_t i = 0; i < CERT_SHA256_LEN; i++)
		snprintf(buf + 2 * i, 3, "%02x", sha256[i]);
	return buf;
}

/* --- sentences -------------------------------------------------------------------------------- */

void chain_words_add(struct chain_words *words, const char *fmt, ...)
{
	size_t room = words->size - words->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(words->buf + words->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		words->len += (size_t)n < room ? (size_t)n : room - 1;
}

void chain_words_add_name(struct chain_words *words, const X509_NAME *name)
{
	char buf[CHAIN_TEXT_LEN], shown[CHAIN_NAME_SHOWN + 1];
	size_t len;

	chain_text_name(buf, name);
	len = strlen(buf);
	chain_text(shown, sizeof(shown), (const uint8_t *)buf, len);
	if (!len)
		chain_words_add(words, "(no name)");
	else
		chain_words_add(words, "'%s%s'", shown, strlen(shown) < len ? "..." : "");
}

/* A character of several bytes that was cut is no valid one, and ends the text. */
const char *chain_words_end(struct chain_words *words)
{
	size_t at = 0;

	while (at < words->len) {
		bool good;
		size_t n = char_len((const uint8_t *)words->buf + at, words->len - at, &good);

		if (!n)
			words->buf[words->len = at] = '\0';
		at += n;
	}
	words->buf[words->len] = '\0';
	return words->buf;
}
