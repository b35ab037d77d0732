/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * any_file - a configuration of some pools, in one of the many ways in which it can be written: YAML of every style,
 * with comments, or JSON.
 *
 * It is made of pieces, each of which belongs to a pool, to a backend, to its weight, or to nobody. What is to become
 * of the pools is kept here and decided by others; those that are to come are not in the file.
 */
#ifndef SLUICE_TESTS_ANY_FILE_H
#define SLUICE_TESTS_ANY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANY_POOLS 4
#define ANY_BACKENDS 5
#define ANY_PIECES 2048
#define ANY_TEXT 32768

enum any_fate { STAYS, WEIGHED, GOES };

struct any_backend {
	const char *address;
	uint32_t weight, becomes;
	enum any_fate fate;
};

struct any_pool {
	char name[8];
	struct any_backend backends[ANY_BACKENDS];
	uint32_t n, n_new; /* of backends there are, and behind them those that come */
	bool goes, comes;
};

/* How a file is written. */
struct any_look {
	const char *newline;
	uint32_t indent, backend_indent, gap;
	bool flow_pools, flow_pool, flow_backends, flow_backend, lines, trailing, comments,
		weight_first;
	bool no_final_newline, is_json, backends_first;
	char quote, key_quote;
	bool pads;
};

struct any_piece {
	size_t start, end;
	int pool, backend; /* -1: nobody's */
	bool is_weight;
};

struct any_file {
	uint64_t seed;
	struct any_pool pools[ANY_POOLS];
	uint32_t n, n_new;
	struct any_look look;
	char text[ANY_TEXT];
	size_t len;
	struct any_piece pieces[ANY_PIECES];
	size_t n_pieces;
	int pool, backend; /* whose the next piece is */
	unsigned int n_comments;
};

/* A number below n; the same ones from the same seed. */
uint32_t any_dice(struct any_file *file, uint32_t n);

/* How it will be written. */
void any_file_choose_look(struct any_file *file);

/* Write its pools into text. Fails the test if there is no room for them. */
void any_file_write(struct any_file *file);

#endif
