/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plain - which texts YAML takes for themselves without quotes. */
#ifndef SLUICE_CONFIG_PLAIN_H
#define SLUICE_CONFIG_PLAIN_H

#include <stdbool.h>

/* Whether the text, written without quotes, is a text and this one to every reader, also inside of [] and {}. */
bool plain_is(const char *text);

#endif
