/* SPDX-License-Identifier: GPL-2.0-or-later */
/* patch_apply - a unified difference, applied as patch(1) would. */
#ifndef SLUICE_TESTS_PATCH_APPLY_H
#define SLUICE_TESTS_PATCH_APPLY_H

/* The text behind it; valid until the next call. Fails the test where the difference does not fit the text. */
const char *patch_applied(const char *difference, const char *text);

#endif
