/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err - say why, once, to whoever can tell the user.
 *
 * A function that can fail returns 0 or a negative errno. If the errno alone would not tell an
 * operator what to fix, it also takes a struct err * (last parameter, may be NULL) and fills it.
 * Library code never prints; the daemon and the CLI print err->text exactly once.
 */
#ifndef SLUICE_UTIL_ERR_H
#define SLUICE_UTIL_ERR_H

struct err {
	char text[512];
};

/* Set the text and return code, which must be negative. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put context in front of the existing text: "pool 'web': " + "bad port". Returns code. */
int err_in(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
