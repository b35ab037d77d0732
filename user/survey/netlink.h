/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink - one question to the kernel, and its answers.
 *
 * A socket per question: a survey asks few. Blocks for as long as the kernel takes.
 */
#ifndef SLUICE_SURVEY_NETLINK_H
#define SLUICE_SURVEY_NETLINK_H

#include <libmnl/libmnl.h>

#include "util/addr.h"

#define NETLINK_REQUEST_LEN 512

/*
 * Send request and give each answer to fn, which may stop with MNL_CB_STOP. 0, or -errno: what the
 * kernel refused the request with.
 */
int netlink_ask(int bus, struct nlmsghdr *request, mnl_cb_t fn, void *arg);

/* Add an address as an attribute, 4 or 16 bytes. */
void netlink_put_addr(struct nlmsghdr *request, uint16_t type, const struct addr *addr);

/* The address that an attribute holds. false: it is none. */
bool netlink_get_addr(struct addr *ret_addr, const struct nlattr *attr);

#endif
