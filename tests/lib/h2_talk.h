/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * h2_talk - what a probe makes of an HTTP/2 server that says these frames, for tests.
 */
#ifndef SLUICE_TESTS_H2_TALK_H
#define SLUICE_TESTS_H2_TALK_H

#include "model/plan.h"
#include "model/verdict.h"
#include "tests/lib/frames.h"

/*
 * Ask as the plan says (grpc, or http for all else) and answer with the frames, in pieces of at most
 * so many bytes; then the stream ends in good order.
 */
struct verdict h2_talk(const struct plan *plan, const struct frames *frames, size_t piece);

#endif
