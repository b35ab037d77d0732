/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quote - texts of the operator's in HAProxy's configuration, which they cannot break out of.
 *
 * Outside of quotes, HAProxy takes \xHH for any byte. Whatever is not plainly harmless is written so: no
 * blank, quote, '#', '$', '\' or end of line of a text is ever seen by HAProxy's tokenizer.
 */
#ifndef SLUICE_L7_QUOTE_H
#define SLUICE_L7_QUOTE_H

#include <stdio.h>

/* A word that stands for the text. An empty text is no word: callers have none. */
void quote_word(FILE *out, const char *text);

/* A part of a word that HAProxy reads as a log format, where '%' begins something. */
void quote_format(FILE *out, const char *text);

/* Of a comment: control characters are left out. */
void quote_comment(FILE *out, const char *text);

#endif
