// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/catalogue.h"

#include <string.h>

#include "model/verdict.h"
#include "util/number.h"

/* In the order of SL_MESSAGES; a test compares the two and looks for empty cells. */
static const struct catalogue_row rows[] = {
	{
		.code = SL_MSG_OK,
		.meaning = "The endpoint passed every stage of its probe.",
		.causes = { "the server accepts connections and, for http, gives the answer that "
			    "the probe expects" },
		.remedies = { "nothing to do" },
	},
	{
		.code = SL_MSG_BACKEND_TIMEOUT,
		.meaning =
			"The connection was made and the request sent, but no complete, matching "
			"answer arrived before the probe's timeout.",
		.causes = { "the application is slow, or hangs with its port still open",
			    "something the application depends on, such as a database, is slow",
			    "the path that the probe asks for does more work than it should",
			    "the probe's timeout is shorter than the application's usual answer "
			    "time" },
		.remedies = { "measure the answer time directly: curl -w '%{time_total}' on the "
			      "probed URL, from this host",
			      "fix what makes the application slow",
			      "let the probe ask for a path that needs little work",
			      "give the settings a custom probe whose timeout lies above the answer "
			      "time" },
	},
	{
		.code = SL_MSG_TCP_CONNECT_FAILED,
		.meaning = "No TCP connection to the probe's port could be made: nothing answered, "
			   "or the attempt was refused or declared impossible.",
		.causes = { "nothing listens on that port, or the port is the wrong one",
			    "the server is down, or listens on another address only",
			    "a firewall on the server refuses or swallows the connection",
			    "a filter between here and the server does",
			    "no route leads to the server, or none leads back" },
		.remedies = { "compare the probe's port with the one that the server uses",
			      "on the server, look for a listening socket: ss -ltn",
			      "connect from another host in the server's network, to tell the server "
			      "from the way to it",
			      "check packet filters on the server and on the way, in both directions",
			      "check the routes of both sides: ip route get ADDRESS" },
	},
	{
		.code = SL_MSG_HTTP_STATUS_MISMATCH,
		.meaning =
			"The server answered with an HTTP status that the probe does not accept.",
		.causes = { "the application reports a failure of its own",
			    "the probed path does not exist, or not under the host name that the "
			    "probe sends",
			    "the path asks for credentials, which probes cannot give" },
		.remedies = { "fetch the probed URL by hand, with the same Host header, and look at "
			      "the answer",
			      "correct the probe's path or host",
			      "accept the status in a custom probe (match.status) if it means that "
			      "the server works" },
	},
	{
		.code = SL_MSG_HTTP_BODY_MISMATCH,
		.meaning = "The answer's status was accepted, but its body does not hold the text "
			   "that the probe looks for.",
		.causes = { "the text in the probe does not match what the page says, letter by "
			    "letter",
			    "the server answered with another page, such as one for errors or "
			    "maintenance",
			    "the text comes later in the body than a probe reads" },
		.remedies = { "fetch the probed URL by hand and look for the text",
			      "correct match.body: it is a plain text, case counts, and there are no "
			      "wildcards",
			      "let the probe ask for a short page that begins with the text" },
	},
	{
		.code = SL_MSG_HTTP_MALFORMED,
		.meaning = "What the server sent is not a legal HTTP/1.x answer.",
		.causes = { "another protocol is spoken on that port: TLS, HTTP/2 only, or something "
			    "that is not HTTP",
			    "the application writes its answer by hand and gets it wrong",
			    "a device on the way changes or mixes up answers" },
		.remedies = { "look at the raw answer: curl -v --raw on the probed URL",
			      "correct the probe's port or protocol; a tcp probe fits servers that "
			      "do not speak HTTP",
			      "fix what the detail names in the application or its server" },
	},
	{
		.code = SL_MSG_CONN_CLOSED_EARLY,
		.meaning = "The server closed or reset the connection before its answer was "
			   "complete.",
		.causes = { "the application crashed while it handled the request",
			    "the server is overloaded and sheds connections",
			    "a proxy or balancer accepts connections and has no server behind it",
			    "the server wants TLS or the PROXY protocol on that port" },
		.remedies = { "read the server's log at the time of the probe",
			      "fetch the probed URL by hand from this host",
			      "check the limits of the server on connections and workers" },
	},
	{
		.code = SL_MSG_PROBER_OVERLOADED,
		.meaning = "The prober could not keep up, so that nothing is said about the "
			   "endpoint; its last proven state stays in force.",
		.causes = { "more probes are waiting than may be in flight, often because many "
			    "endpoints do not answer at all",
			    "this host has too little CPU time left for the prober",
			    "intervals are too short for the number of endpoints" },
		.remedies = { "look at the prober's load: sluice status",
			      "raise the number of probes in flight, or of probe workers",
			      "lengthen intervals, or shorten the timeouts of endpoints that are "
			      "silent",
			      "free CPU time on this host" },
	},
	{
		.code = SL_MSG_LOCAL_RESOURCE,
		.meaning = "This host could not run the probe, so that nothing is said about the "
			   "endpoint; its last proven state stays in force.",
		.causes = { "the daemon has no file descriptor or memory left",
			    "no local port or source address is left for the connection",
			    "a packet filter or security policy of this host forbids the connection",
			    "the daemon lacks the capability to mark its packets (CAP_NET_ADMIN)" },
		.remedies = { "raise the daemon's limit of open files (LimitNOFILE=)",
			      "check the range of local ports: sysctl net.ipv4.ip_local_port_range",
			      "check this host's own output filters: nft list ruleset",
			      "check the daemon's capabilities and the host's free memory" },
	},
	{
		.code = SL_MSG_PROBE_PENDING,
		.meaning = "No probe of the endpoint has ended yet.",
		.causes = { "the daemon or the endpoint's configuration is only just in force" },
		.remedies = { "wait for the first probe: it starts within one interval, and ends within "
			      "its timeout" },
	},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct catalogue_row *catalogue_find(enum sl_message code)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const struct catalogue_row *catalogue_find_id(const char *id)
{
	uint64_t number;

	for (size_t i = 0; i < N_ROWS; i++)
		if (!strcmp(message_id(rows[i].code), id))
			return &rows[i];
	if (number_parse(&number, id, 0, UINT16_MAX) < 0)
		return NULL;
	return catalogue_find((enum sl_message)number);
}

const struct catalogue_row *catalogue_rows(size_t *ret_n)
{
	*ret_n = N_ROWS;
	return rows;
}
