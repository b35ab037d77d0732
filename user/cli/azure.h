/* SPDX-License-Identifier: GPL-2.0-or-later */
/* azure - health in the form of an Azure Application Gateway's backend health report. */
#ifndef SLUICE_CLI_AZURE_H
#define SLUICE_CLI_AZURE_H

#include <jansson.h>

/*
 * The report of a health document. Healthy, Unhealthy and Unknown are Up, Down and Unknown there;
 * an endpoint that was never probed is Down, one that is being drained is Draining. Partial is for
 * probers that disagree, of which there is one here. NULL: out of memory.
 */
json_t *azure_report(const json_t *health);

#endif
