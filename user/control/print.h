/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print - a JSON document as text.
 *
 * Beside jansson's own for two reasons: that one spends more time on an answer about 65,536
 * endpoints than all the rest, and where memory runs out it may leave out a key and go on.
 */
#ifndef SLUICE_CONTROL_PRINT_H
#define SLUICE_CONTROL_PRINT_H

#include <jansson.h>

enum print_form { PRINT_LINE, PRINT_TREE };

/* The caller frees the text. NULL: json is NULL, or out of memory. Reals are not used here. */
char *print_json(const json_t *json, enum print_form form);

#endif
