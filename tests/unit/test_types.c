// SPDX-License-Identifier: GPL-2.0-or-later
/* What tells the entries of one map from those of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "dataplane/types.h"

/* struct entry { u32 first; enum kind kind; u8 bytes[n]; struct inner { u64 last; } inner; } */
struct shape {
	const char *first, *inner_name, *last, *enum_name;
	int first_size, n, n_values, offset;
	bool is_signed, has_typedef;
};

static const struct shape usual = { "first", "inner", "last", "kind", 4, 8, 2, 16, false, false };

static uint64_t hash_of(const struct shape *shape)
{
	struct btf *btf = btf__new_empty();
	int u32, u8, u64, kind, array, inner, first;
	uint64_t hash;

	u32 = btf__add_int(btf, "u32", (size_t)shape->first_size,
			   shape->is_signed ? BTF_INT_SIGNED : 0);
	u8 = btf__add_int(btf, "u8", 1, 0);
	u64 = btf__add_int(btf, "u64", 8, 0);
	first = shape->has_typedef ? btf__add_typedef(btf, "number", u32) : u32;
	first = shape->has_typedef ? btf__add_volatile(btf, first) : first;
	kind = btf__add_enum(btf, shape->enum_name, 1);
	for (int i = 0; i < shape->n_values; i++)
		btf__add_enum_value(btf, i ? "ONE" : "NONE", i);
	array = btf__add_array(btf, u32, u8, (uint32_t)shape->n);
	inner = btf__add_struct(btf, shape->inner_name, 8);
	btf__add_field(btf, shape->last, u64, 0, 0);
	btf__add_struct(btf, "entry", 24);
	btf__add_field(btf, shape->first, first, 0, 0);
	btf__add_field(btf, "kind", kind, 32, 0);
	btf__add_field(btf, "bytes", array, 40, 0);
	btf__add_field(btf, "inner", inner, (uint32_t)shape->offset * 8, 0);
	hash = types_hash(btf, (uint32_t)u32, (uint32_t)btf__type_cnt(btf) - 1);
	btf__free(btf);
	return hash;
}

static void test_shapes(void **state)
{
	struct shape shape = usual;
	uint64_t hash = hash_of(&usual);

	(void)state;
	assert_true(hash != 0);
	assert_true(hash_of(&usual) == hash);
#define OTHER(member, value)               \
	shape = usual;                     \
	shape.member = (value);            \
	assert_true(hash_of(&shape) != 0); \
	assert_true(hash_of(&shape) != hash)
	OTHER(first, "second");
	OTHER(inner_name, "core");
	OTHER(last, "least");
	OTHER(enum_name, "sort");
	OTHER(first_size, 2);
	OTHER(n, 9);
	OTHER(offset, 17);
	OTHER(is_signed, true);
#undef OTHER
	/* Another name for the same, and one more value, change nothing about what is there. */
	shape = usual;
	shape.has_typedef = true;
	assert_true(hash_of(&shape) == hash);
	shape = usual;
	shape.n_values = 3;
	assert_true(hash_of(&shape) == hash);
}

/* Names that follow each other are not one name. */
static void test_names(void **state)
{
	struct shape a = usual, b = usual;

	(void)state;
	a.inner_name = "ab";
	a.last = "c";
	b.inner_name = "a";
	b.last = "bc";
	assert_true(hash_of(&a) != hash_of(&b));
}

/* What no map of ours has: pointers, and structures without end. */
static void test_refused(void **state)
{
	struct btf *btf = btf__new_empty();
	int u32 = btf__add_int(btf, "u32", 4, 0), last = u32;

	(void)state;
	assert_int_equal(types_hash(btf, (uint32_t)u32, (uint32_t)btf__add_ptr(btf, u32)), 0);
	assert_int_equal(types_hash(btf, (uint32_t)u32, 9999), 0);
	assert_int_equal(types_hash(btf, 0, (uint32_t)u32), 0);
	for (int i = 0; i < 12; i++) {
		int next = btf__add_struct(btf, "nest", 4);

		btf__add_field(btf, "in", last, 0, 0);
		last = next;
	}
	assert_int_equal(types_hash(btf, (uint32_t)u32, (uint32_t)last), 0);
	btf__free(btf);
}

static void test_list(void **state)
{
	struct sl_types types = { 0 };
	char name[17] = "sixteen_letters_";

	(void)state;
	assert_int_equal(types_find(&types, ""), 0);
	assert_true(types_add(&types, "flows", 7));
	assert_true(types_add(&types, name, 8));
	assert_true(types_find(&types, "flows") == 7);
	assert_true(types_find(&types, name) == 8);
	assert_int_equal(types_find(&types, "flow"), 0);
	assert_int_equal(types_find(&types, "flowsy"), 0);
	for (int i = 2; i < SL_TYPES_MAX; i++)
		assert_true(types_add(&types, "x", 9));
	assert_false(types_add(&types, "y", 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
