/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - what comes from outside, made fit for a terminal.
 *
 * Control characters become '?': see util/printable.h.
 */
#ifndef SLUICE_CLI_TEXT_H
#define SLUICE_CLI_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Print text that is not ours, control characters replaced. */
void text_print(FILE *out, const char *text);

/* Replace control characters in every string value of a document. -ENOMEM */
int text_clean_json(json_t *json);

/* The same in a document's text, in place, after scan.h: no others are left in it. Returns text. */
char *text_clean_scanned(char *text);

/* Print a document in a form for people and programs; takes over json, which may be NULL. */
void text_dump(FILE *out, json_t *json);

/* Members of an object; "" or 0 where there is none of that type. */
const char *text_get(const json_t *object, const char *key);
uint64_t text_get_uint(const json_t *object, const char *key);
bool text_get_bool(const json_t *object, const char *key);

/* Milliseconds since 1970 of "2026-01-01T00:00:00.000Z"; 0: not a time. */
uint64_t text_parse_time(const char *iso);

/* "180us", "3.4ms", "-" for none; returns buf. */
#define TEXT_TIME_LEN 32
const char *text_format_us(char buf[TEXT_TIME_LEN], uint64_t us);

/* "- " and each text of an array, under a heading; nothing for an empty array. */
void text_list(FILE *out, const char *heading, const json_t *array);

#endif
