// SPDX-License-Identifier: GPL-2.0-or-later
/* troubleshoot_answer - what is still wrong when connections can be made. */
#include <stdio.h>

#include "diagnose/troubleshoot_work.h"

static bool from_loss(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct attempt_tally *attempts = &e->attempts;

	if (attempts->answered == attempts->sent || e->way.udp)
		return false;
	if (e->halfopen == HALFOPEN_UNKNOWN_THERE)
		return trouble_say(finding, CAUSE_ACCEPT_QUEUE_FULL,
				   "%u of %u connections were made; of the others the target's TCP "
				   "dropped the SYN.",
				   attempts->answered, attempts->sent);
	if (attempts->refused)
		return trouble_say(finding, CAUSE_ACCEPT_QUEUE_FULL,
				   "%u of %u connections were made and %u refused with RST: "
				   "something listens, and has no room.",
				   attempts->answered, attempts->sent, attempts->refused);
	return trouble_say(finding, CAUSE_PACKET_LOSS,
			   "%u of %u connections were made; the others were not answered.",
			   attempts->answered, attempts->sent);
}

static bool from_sizes(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct trouble_sizes *sizes = &e->sizes;

	if (sizes->asked && sizes->small && !sizes->large && !sizes->told)
		return trouble_say(finding, CAUSE_MTU_BLACK_HOLE,
				   "Echo of %u bytes is answered, of %u bytes, the MTU of the way, "
				   "it is not, and nobody says that it was too large.",
				   sizes->best, sizes->mtu);
	if (e->small.acked && e->large.connected && !e->large.acked)
		return trouble_say(finding, CAUSE_MTU_BLACK_HOLE,
				   "A short request is acknowledged, one of full packets is not.");
	return false;
}

/* The end of the handshake was lost there: to us the connection is open, to the server it is not. */
static bool from_handshake(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	if (!e->small.connected || e->small.acked)
		return false;
	return trouble_say(finding, CAUSE_ACCEPT_QUEUE_FULL,
			   "The SYN was answered, but what was sent then was never acknowledged.");
}

static bool is_silence(const struct trouble_probe *probe)
{
	return probe->code == SL_MSG_BACKEND_TIMEOUT;
}

static bool from_verdict(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct trouble_probe *traffic = &e->traffic;

	if (!traffic->done || traffic->passed)
		return false;
	if (is_silence(traffic))
		return trouble_say(finding, CAUSE_NO_ANSWER, "%s", traffic->message);
	return trouble_say(finding, CAUSE_APPLICATION_ERROR, "%s: %s",
			   message_id(traffic->code) ?: "unknown", traffic->message);
}

static bool from_forward(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	const struct filter_match *match = trouble_certain(&e->forward);
	char rule[TROUBLE_RULE_LEN];

	if (!match)
		return false;
	return trouble_say(finding, CAUSE_FORWARD_FILTER,
			   "Connections of this host work; those that it forwards end at: %s.",
			   trouble_rule(rule, match));
}

bool trouble_from_answers(struct trouble_finding *finding, const struct trouble_evidence *e)
{
	static trouble_step *const steps[] = { from_loss, from_sizes, from_handshake, from_verdict,
					       from_forward };
	char target[SL_TEXT_LEN];

	if (!e->attempts.answered)
		return false;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i](finding, e))
			return true;
	return trouble_say(finding, CAUSE_REACHABLE, "%s answered %u of %u attempts%s%s",
			   addr_port_format(target, &e->way.to, e->way.port), e->attempts.answered,
			   e->attempts.sent, e->traffic.done ? ". " : ".",
			   e->traffic.done ? e->traffic.message : "");
}
