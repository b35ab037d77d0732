/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web - what is to be looked at over TCP, by whoever reaches the address: metrics, the page, and what the page
 * reads. Nothing here changes anything.
 */
#ifndef SLUICE_CONTROL_WEB_H
#define SLUICE_CONTROL_WEB_H

#include "control/routes.h"

/* Answer the request. Returns MHD_NO only when even an error cannot be sent. */
enum MHD_Result web_answer(const struct request *request);

#endif
