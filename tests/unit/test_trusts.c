// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/trusts.h"
#include "probe/trust.h"
#include "tests/lib/certs.h"
#include "tests/lib/fault.h"
#include "util/err.h"

/* Two settings that trust different roots, one that trusts nobody's certificates in particular. */
static struct settings settings[3];
static struct model model = { .settings = settings, .n_settings = 3 };
static struct test_cert *root, *other;

static int set_up(void **state)
{
	(void)state;
	root = test_root("root");
	other = test_root("other");
	settings[0].trust.mode = settings[1].trust.mode = TRUST_UPLOADED;
	settings[2].trust.mode = TRUST_ALLOW_LIST;
	test_trust_add(&settings[0].trust, root);
	test_trust_add(&settings[1].trust, other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		test_trust_clear(&settings[i].trust);
	test_cert_free(root);
	test_cert_free(other);
	return 0;
}

static struct trust *give(struct trusts *trusts, uint32_t index)
{
	struct plan plan = { .tls.enabled = true };
	struct err err = { "" };

	if (trusts_give(trusts, index, &plan, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(plan.tls.trust);
	return plan.tls.trust;
}

/* One per settings, however many endpoints they have, and the right one. */
static void test_shared(void **state)
{
	CLEANUP(trusts_free_p) struct trusts *trusts = trusts_new(&model);
	struct trust *first, *second, *third;

	(void)state;
	assert_non_null(trusts);
	first = give(trusts, 0);
	second = give(trusts, 1);
	third = give(trusts, 2);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(give(trusts, 0), first);
	assert_ptr_equal(give(trusts, 1), second);
	assert_int_equal(trust_mode(third), TRUST_ALLOW_LIST);
	assert_int_equal(sk_X509_num(trust_certs(first)), 1);
	assert_int_equal(X509_cmp(sk_X509_value(trust_certs(first), 0), root->x509), 0);
	assert_int_equal(X509_cmp(sk_X509_value(trust_certs(second), 0), other->x509), 0);
}

/* Who speaks no TLS trusts nobody, and costs nothing. */
static void test_plain(void **state)
{
	CLEANUP(trusts_free_p) struct trusts *trusts = trusts_new(&model);
	struct plan plan = { .tls.enabled = false };
	struct err err;

	(void)state;
	assert_int_equal(trusts_give(trusts, 0, &plan, &err), 0);
	assert_null(plan.tls.trust);
}

/* What cannot be trusted is an error in words, and asked for again it is one again. */
static void test_unusable(void **state)
{
	static uint8_t junk[] = "no certificate";
	static char path[] = "junk.pem";
	struct cert_file file = { .path = path, .der = junk, .len = sizeof(junk) };
	struct settings bad = { .trust = { .certs = &file, .n_certs = 1, .mode = TRUST_UPLOADED } };
	const struct model one = { .settings = &bad, .n_settings = 1 };
	CLEANUP(trusts_free_p) struct trusts *trusts = trusts_new(&one);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct plan plan = { .tls.enabled = true };
		struct err err = { "" };

		assert_int_equal(trusts_give(trusts, 0, &plan, &err), -EINVAL);
		assert_non_null(strstr(err.text, "junk.pem"));
		assert_null(plan.tls.trust);
	}
}

static void test_no_memory(void **state)
{
	(void)state;
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_null(trusts_new(&model));
	assert_true(fault_clear(FAULT_MEMORY));
	trusts_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_unusable),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
