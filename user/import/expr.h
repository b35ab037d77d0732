/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expr - the expressions of ARM templates, as far as an export uses them.
 *
 * "[concat(parameters('name'), '/pool')]" becomes text: concat(), format(), parameters() and
 * variables() are known, resourceId() becomes its arguments with slashes between. What is not known
 * leaves EXPR_UNKNOWN in its place, so that the rest of the text can still be used: references are
 * known by their last segment.
 */
#ifndef SLUICE_IMPORT_EXPR_H
#define SLUICE_IMPORT_EXPR_H

#include <stdbool.h>

#include "import/prop.h"

#define EXPR_UNKNOWN '\x01'

/* Where expressions find what they name. Members may be NULL: there is none. */
struct expr_names {
	struct prop_tree *tree;
	struct prop *parameters, *variables;
};

/* Whether the text is an expression: in brackets, of which the first is not doubled. */
bool expr_is(const char *text);

/*
 * Resolve a text, which need be no expression. Parameters that were used are told so. The caller
 * frees *ret.
 *   -EINVAL  it is not written as expressions are, or is too long or too deep
 *   -ENOMEM
 */
int expr_resolve(char **ret, const struct expr_names *names, const char *text);

#endif
