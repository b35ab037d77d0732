// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/commands.h"

#define BIT(option) (1u << (option))

const struct cli_option_row cli_options[OPT_MAX] = {
	[OPT_JSON] = { "--json", NULL, "one JSON document on standard output, errors too", true },
	[OPT_SOCKET] = { "--socket", "PATH", "the daemon's socket (SLUICE_SOCKET)", true },
	[OPT_HELP] = { "--help", NULL, "what a command does and takes", true },
	[OPT_VERSION] = { "--version", NULL, "print the version", true },
	[OPT_WATCH] = { "--watch", NULL, "keep showing: each second, in a pipe on change", false },
	[OPT_AZURE] = { "--azure", NULL, "the report in the form of Azure Application Gateway",
			false },
	[OPT_HOST] = { "--host", "NAME", "host to ask for: Host header, SNI and name to verify",
		       false },
	[OPT_SNI] = { "--sni", "NAME", "name to send as SNI and to verify, instead of the host",
		      false },
	[OPT_CONNECT] = { "--connect", "ADDR[:PORT]",
			  "connect there instead of to the target's host", false },
	[OPT_CA] = { "--ca", "FILE", "trust these roots and no others (repeatable)",
		     .repeatable = true },
	[OPT_ALLOW_LISTED] = { "--allow-listed", "FILE",
			       "trust exactly these server certificates (repeatable)",
			       .repeatable = true },
	[OPT_CRL] = { "--crl", "FILE|URL", "check revocation with these lists (repeatable)",
		      .repeatable = true },
	[OPT_STATUS] = { "--status", "RANGES", "HTTP status codes to accept, as 200-399,401",
			 false },
	[OPT_BODY] = { "--body", "STRING", "text that the answer must contain", false },
	[OPT_SEND] = { "--send", "TEXT", "datagram to send; \\n \\r \\t \\\\ \\xHH are bytes",
		       false },
	[OPT_NO_VALIDATE_CHAIN] = { "--no-validate-chain", NULL,
				    "accept any certificate chain and date", false },
	[OPT_NO_VALIDATE_SNI] = { "--no-validate-sni", NULL, "accept any name in the certificate",
				  false },
	[OPT_SHOW_CERTS] = { "--show-certs", NULL, "print the certificates that the server sent",
			     false },
	[OPT_PROXY_PROTOCOL] = { "--proxy-protocol", "v1|v2",
				 "begin with a PROXY protocol header, without a value v1",
				 .may_stand_alone = true },
	[OPT_TIMEOUT] = { "--timeout", "T",
			  "for the whole probe, or until open connections end: 500ms, 30s", false },
	[OPT_LIMIT] = { "--limit", "N", "how many flows to list, or of the newest events", false },
	[OPT_PROTO] = { "--proto", "tcp|udp", "of the packet; without it tcp", false },
	[OPT_FLAGS] = { "--flags", "syn|ack", "of the TCP segment; without it syn", false },
	[OPT_INTERFACE] = { "--interface", "IF", "that the packet comes in by", false },
	[OPT_SINCE] = { "--since", "T", "events since 10m ago, or since 2026-01-31T12:00:00Z",
			false },
	[OPT_FOLLOW] = { "--follow", NULL, "keep showing events as they come", false },
	[OPT_POOL] = { "--pool", "POOL", "events of this pool alone", false },
	[OPT_LOCAL] = { "--local", "PORT[/udp]", "look at a port of this host, from within",
			false },
	[OPT_FROM] = { "--from", "ADDR|IF", "address or interface of this host to leave by",
		       false },
	[OPT_COUNT] = { "--count", "N", "how many connections to try, 1 to 100", false },
	[OPT_ALL] = { "--all", NULL, "every interface, and every pinned map and program", false },
};

static const struct cli_command commands[] = {
	{ "status", command_status, 0, 0, "",
	  "daemon, interfaces and how they are attached, mode, totals, decisions", 0 },
	{ "health", command_health, 0, 1, "[POOL]", "health of every endpoint, with the reason",
	  BIT(OPT_WATCH) | BIT(OPT_AZURE) },
	{ "pool list", command_pool_list, 0, 0, "", "the pools and how many endpoints are healthy",
	  0 },
	{ "pool show", command_pool_show, 1, 1, "POOL", "one pool: its backends and services", 0 },
	{ "backend drain", command_drain, 2, 2, "POOL ADDRESS",
	  "no new connections to a backend; open ones have some time to end", BIT(OPT_TIMEOUT) },
	{ "backend enable", command_enable, 2, 2, "POOL ADDRESS",
	  "let a backend have new connections again", 0 },
	{ "backend disable", command_disable, 2, 2, "POOL ADDRESS",
	  "no new connections to a backend, for as long as it takes", 0 },
	{ "backend weight", command_weight, 3, 3, "POOL ADDRESS N",
	  "share of the new connections, 0 to 256, until the daemon ends", 0 },
	{ "reload", command_reload, 0, 0, "",
	  "have the daemon read its configuration again, and say what came of it", 0 },
	{ "why", command_why, 2, 2, "POOL ADDRESS[:PORT]",
	  "health, last probes, what the kernel saw, and what to do about it", 0 },
	{ "stats", command_stats, 0, 1, "[POOL]", "traffic counters per endpoint, and decisions",
	  0 },
	{ "flows", command_flows, 0, 2, "[POOL] [ADDRESS[:PORT]]",
	  "open flows through services: from whom, to which endpoint", BIT(OPT_LIMIT) },
	{ "events", command_events, 0, 0, "",
	  "what happened: health changes, orders, reloads, restarts",
	  BIT(OPT_SINCE) | BIT(OPT_FOLLOW) | BIT(OPT_POOL) | BIT(OPT_LIMIT) },
	{ "decide", command_decide, 2, 2, "SRC[:PORT] DST:PORT",
	  "what would become of a packet now, and why",
	  BIT(OPT_PROTO) | BIT(OPT_FLAGS) | BIT(OPT_INTERFACE) },
	{ "maps", command_maps, 0, 0, "", "the pinned maps and the commands that dump them", 0 },
	{ "check", command_check, 1, 1, "FILE", "validate a configuration; needs no daemon", 0 },
	{ "explain", command_explain, 0, 1, "[ID]",
	  "what a verdict means, its causes and remedies; needs no daemon", 0 },
	{ "probe", command_probe, 1, 1, "TARGET", "one probe now, stage by stage; needs no daemon",
	  BIT(OPT_HOST) | BIT(OPT_SNI) | BIT(OPT_CONNECT) | BIT(OPT_CA) | BIT(OPT_ALLOW_LISTED) |
		  BIT(OPT_CRL) | BIT(OPT_STATUS) | BIT(OPT_BODY) | BIT(OPT_SEND) |
		  BIT(OPT_TIMEOUT) | BIT(OPT_NO_VALIDATE_CHAIN) | BIT(OPT_NO_VALIDATE_SNI) |
		  BIT(OPT_SHOW_CERTS) | BIT(OPT_PROXY_PROTOCOL) },
	{ "troubleshoot", command_troubleshoot, 0, 2, "TARGET | POOL ADDRESS | --local PORT",
	  "why a target cannot be reached, step by step; needs no daemon",
	  BIT(OPT_LOCAL) | BIT(OPT_FROM) | BIT(OPT_COUNT) | BIT(OPT_TIMEOUT) | BIT(OPT_HOST) |
		  BIT(OPT_SNI) | BIT(OPT_CA) | BIT(OPT_ALLOW_LISTED) | BIT(OPT_CRL) |
		  BIT(OPT_STATUS) | BIT(OPT_BODY) | BIT(OPT_SEND) | BIT(OPT_NO_VALIDATE_CHAIN) |
		  BIT(OPT_NO_VALIDATE_SNI) },
	{ "detach", command_detach, 0, 0, "--all",
	  "take the gate off every interface, with or without a daemon", BIT(OPT_ALL) },
};

const struct cli_command *cli_commands(size_t *ret_n)
{
	*ret_n = sizeof(commands) / sizeof(commands[0]);
	return commands;
}
