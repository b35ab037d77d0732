/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault - make the n-th call fail, so that error paths run.
 *
 * The test build links malloc, calloc, realloc, strdup, socket and open through here. An order is for the
 * calls of the thread that gives it: what others do at the same time is not the same every time.
 */
#ifndef SLUICE_TESTS_FAULT_H
#define SLUICE_TESTS_FAULT_H

#include <stdbool.h>

enum fault_kind { FAULT_MEMORY, FAULT_SOCKET, FAULT_OPEN, FAULT_KINDS };

/* Let n more calls of this kind succeed and the next one fail with this errno; then none again. */
void fault_after(enum fault_kind kind, int n, int os_errno);

/* Take the order back. Returns whether the failure had happened. */
bool fault_clear(enum fault_kind kind);

#endif
