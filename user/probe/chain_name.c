// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/chain_name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "model/limits.h"

/* A name as it is compared: without brackets or final dot. "": it can match nothing. */
struct reference {
	char text[LIMIT_HOST_BYTES + 1];
	unsigned char address[sizeof(struct in6_addr)];
	size_t address_len; /* 0: it is a DNS name */
};

static void strip(struct reference *ref, const char *name)
{
	size_t len = strlen(name);

	if (len >= 2 && name[0] == '[' && name[len - 1] == ']') {
		name++;
		len -= 2;
	} else if (len && name[len - 1] == '.') {
		len--;
	}
	/* OpenSSL takes a leading dot for "any name below". */
	if (len > LIMIT_HOST_BYTES || name[0] == '.')
		len = 0;
	memcpy(ref->text, name, len);
	ref->text[len] = '\0';
}

static struct reference reference(const char *name)
{
	struct reference ref = { .address_len = 0 };

	strip(&ref, name);
	if (inet_pton(AF_INET, ref.text, ref.address) == 1)
		ref.address_len = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, ref.text, ref.address) == 1)
		ref.address_len = sizeof(struct in6_addr);
	return ref;
}

bool chain_name_is_address(const char *name)
{
	return reference(name).address_len;
}

bool chain_name_has_alternatives(const X509 *x509)
{
	return X509_get_ext_by_NID(x509, NID_subject_alt_name, -1) >= 0;
}

int chain_name_check(X509 *x509, const char *name)
{
	struct reference ref = reference(name);
	unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

	if (ref.address_len) {
		if (X509_check_ip(x509, ref.address, ref.address_len, 0) == 1)
			return X509_V_OK;
		return X509_V_ERR_IP_ADDRESS_MISMATCH;
	}
	/* Left alone, OpenSSL uses the CN as long as none of the alternatives is a DNS name. */
	if (chain_name_has_alternatives(x509))
		flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	if (ref.text[0] && X509_check_host(x509, ref.text, strlen(ref.text), flags, NULL) == 1)
		return X509_V_OK;
	return X509_V_ERR_HOSTNAME_MISMATCH;
}
