// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the catalogue: what the stages of a probe say of a server, but for its certificates. */
#include "probe/catalogue_rows.h"

const struct catalogue_row catalogue_row_OK = {
	OF_MESSAGE(OK),
	.meaning = "The endpoint passed every stage of its probe.",
	.causes = { "the server does what the probe asks: it accepts connections, its "
		    "certificate is in order where TLS is spoken, and its answer is one "
		    "that the probe expects" },
	.remedies = { "nothing to do" },
};

const struct catalogue_row catalogue_row_BACKEND_TIMEOUT = {
	OF_MESSAGE(BACKEND_TIMEOUT),
	.meaning = "The connection was made and the request sent, but no complete, "
		   "matching answer arrived before the probe's timeout.",
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
};

const struct catalogue_row catalogue_row_DNS_RESOLUTION_FAILED = {
	OF_MESSAGE(DNS_RESOLUTION_FAILED),
	.meaning = "The backend's name could not be resolved, and no address of it was "
		   "ever known, so that there is nothing to probe.",
	.causes = { "the name is misspelt, or exists only under another suffix",
		    "the name is known to internal DNS servers only, and this host asks "
		    "others",
		    "the A, AAAA or CNAME record is missing or was removed",
		    "the DNS servers of this host are wrong, unreachable, or disagree with "
		    "each other",
		    "the private zone of the name is not visible from this network" },
	.remedies = { "resolve the name from this host: getent ahosts NAME, and dig NAME "
		      "@SERVER for each server that the message lists",
		      "correct the name in the pool, or add the missing record to its zone",
		      "check the servers in /etc/resolv.conf; changes to it are picked up "
		      "without a restart",
		      "allow UDP and TCP port 53 from this host to its DNS servers",
		      "put an IP address in the pool for as long as DNS cannot be repaired" },
};

const struct catalogue_row catalogue_row_TCP_CONNECT_FAILED = {
	OF_MESSAGE(TCP_CONNECT_FAILED),
	.meaning = "No TCP connection to the probe's port could be made: nothing "
		   "answered, "
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
};

const struct catalogue_row catalogue_row_HTTP_STATUS_MISMATCH = {
	OF_MESSAGE(HTTP_STATUS_MISMATCH),
	.meaning = "The server answered with an HTTP status that the probe does not "
		   "accept.",
	.causes = { "the application reports a failure of its own",
		    "the probed path does not exist, or not under the host name that the "
		    "probe sends",
		    "the path asks for credentials, which probes cannot give" },
	.remedies = { "fetch the probed URL by hand, with the same Host header, and look at "
		      "the answer",
		      "correct the probe's path or host",
		      "accept the status in a custom probe (match.status) if it means that "
		      "the server works" },
};

const struct catalogue_row catalogue_row_HTTP_BODY_MISMATCH = {
	OF_MESSAGE(HTTP_BODY_MISMATCH),
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
};

const struct catalogue_row catalogue_row_TLS_HANDSHAKE_FAILED = {
	OF_MESSAGE(TLS_HANDSHAKE_FAILED),
	.meaning = "The TCP connection was made, but no TLS session: the server ended the "
		   "handshake with an alert, closed the connection, answered with "
		   "something that is not TLS, or did not answer in time.",
	.causes = { "the server does not speak TLS on that port, or only versions older "
		    "than 1.2",
		    "server and probe have no cipher suite, group or signature algorithm "
		    "in common",
		    "the server does not know the name that was sent as SNI, or wants one "
		    "where none was sent",
		    "the server demands a certificate of its clients, which probes do not "
		    "have",
		    "the server has no certificate or key for the listener, or crashed "
		    "over it" },
	.remedies = { "repeat the handshake by hand: openssl s_client -connect ADDRESS:PORT "
		      "-servername NAME",
		      "read what the alert says in the message, and the server's own error "
		      "log",
		      "enable TLS 1.2 or 1.3 with common cipher suites on the server",
		      "set the name that the server expects: the probe's host, or the "
		      "settings' host_name or sni_name",
		      "let a port or path without client certificates be probed" },
};

const struct catalogue_row catalogue_row_HTTP_MALFORMED = {
	OF_MESSAGE(HTTP_MALFORMED),
	.meaning = "What the server sent is not a legal HTTP answer.",
	.causes = { "another protocol is spoken on that port: TLS, HTTP/2 only, or "
		    "something "
		    "that is not HTTP",
		    "the application writes its answer by hand and gets it wrong",
		    "a device on the way changes or mixes up answers" },
	.remedies = { "look at the raw answer: curl -v --raw on the probed URL",
		      "correct the probe's port or protocol; a tcp probe fits servers that "
		      "do not speak HTTP",
		      "fix what the detail names in the application or its server" },
};

const struct catalogue_row catalogue_row_CONN_CLOSED_EARLY = {
	OF_MESSAGE(CONN_CLOSED_EARLY),
	.meaning = "The server closed or reset the connection before its answer was "
		   "complete.",
	.causes = { "the application crashed while it handled the request",
		    "the server is overloaded and sheds connections",
		    "a proxy or balancer accepts connections and has no server behind it",
		    "the server wants TLS on that port, or a PROXY protocol header that "
		    "the probe does not send, or does not want the one it sends" },
	.remedies = { "read the server's log at the time of the probe",
		      "fetch the probed URL by hand from this host",
		      "compare the probe's protocol and proxy_protocol with what the server "
		      "expects on that port",
		      "check the limits of the server on connections and workers" },
};

const struct catalogue_row catalogue_row_GRPC_NOT_SERVING = {
	OF_MESSAGE(GRPC_NOT_SERVING),
	.meaning = "The server speaks gRPC, but its health service says that the probed "
		   "service is not serving, or does not know it.",
	.causes = { "the application reports that it is starting, stopping or out of order",
		    "the server has no health service (grpc.health.v1.Health) registered",
		    "the service's name in the probe's path is not one that the server "
		    "knows" },
	.remedies = { "ask by hand: grpc_health_probe -addr=ADDRESS:PORT -service=NAME, or "
		      "grpcurl on grpc.health.v1.Health/Check",
		      "read the application's log for why it does not serve",
		      "correct the service's name: the probe's path is '/' for the whole "
		      "server, or '/' and the name",
		      "register the health service in the application" },
};

const struct catalogue_row catalogue_row_UDP_UNREACHABLE = {
	OF_MESSAGE(UDP_UNREACHABLE),
	.meaning = "The datagram could not be delivered: an ICMP error came back for it.",
	.causes = { "nothing listens on that UDP port",
		    "a firewall on the server or on the way rejects the datagram",
		    "no route leads to the server, or the server is down" },
	.remedies = { "on the server, look for a listening socket: ss -lnu",
		      "compare the probe's port with the one that the server uses",
		      "look at the ICMP type in the message: port unreachable comes from the "
		      "server itself, the others from the way to it",
		      "check packet filters on the server and on the way" },
};

const struct catalogue_row catalogue_row_UDP_ANSWER_MISMATCH = {
	OF_MESSAGE(UDP_ANSWER_MISMATCH),
	.meaning = "A datagram came back, but not with the text that the probe looks for.",
	.causes = { "match.body is not what the server answers, byte by byte",
		    "the server answers with an error, because what the probe sends is not "
		    "what it expects",
		    "another service answers on that port" },
	.remedies = { "send the same datagram by hand and look at the answer: sluice probe "
		      "udp://ADDRESS:PORT --send TEXT",
		      "correct send and match.body of the probe; bytes are written as \\xHH "
		      "in send",
		      "leave match.body out if any answer shows that the server works" },
};
