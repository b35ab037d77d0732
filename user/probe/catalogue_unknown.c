// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the catalogue: verdicts that say nothing of the server. */
#include "probe/catalogue_rows.h"

const struct catalogue_row catalogue_row_UNKNOWN_DNS_CACHE_FLUSHED = {
	OF_MESSAGE(UNKNOWN_DNS_CACHE_FLUSHED),
	.meaning = "The backend's name had addresses before, but the configuration was "
		   "put in force anew while DNS gave no answer, so that none is known "
		   "now; nothing is said about the backend.",
	.causes = { "DNS was unreachable or failing when the configuration was applied or "
		    "the daemon restarted",
		    "the record of the name was removed, and the last known address had "
		    "been in use until then" },
	.remedies = { "repair DNS: dig NAME @SERVER for each server that the message lists",
		      "allow UDP and TCP port 53 from this host to its DNS servers",
		      "wait for the next lookup, which follows within half a minute and "
		      "needs no restart",
		      "do not apply configurations or restart the daemon while DNS is down: "
		      "the last known addresses are kept as long as it runs" },
};

const struct catalogue_row catalogue_row_UNKNOWN_CONTROL_BLOCKED = {
	OF_MESSAGE(UNKNOWN_CONTROL_BLOCKED),
	.meaning = "Health cannot be reported: the way between the daemon, the kernel's "
		   "maps and whoever asks is interrupted, and nothing is said about the "
		   "endpoint.",
	.causes = { "the pinned maps were removed under the running daemon, or belong to "
		    "another instance",
		    "the daemon hangs: its heartbeat has stopped",
		    "the control socket is gone, or no longer the daemon's",
		    "something on the way answers or rewrites the probes, so that the "
		    "server's log and the report disagree" },
	.remedies = { "look at the heartbeat and at what is in force: sluice status",
		      "look for the pinned maps: sluice maps, ls /sys/fs/bpf/sluice",
		      "restart the daemon; it adopts what is pinned, and traffic goes on "
		      "meanwhile",
		      "compare the server's log with the probes: sluice probe from this host "
		      "shows what really comes back" },
};

const struct catalogue_row catalogue_row_UNKNOWN_CRL_UNREACHABLE = {
	OF_MESSAGE(UNKNOWN_CRL_UNREACHABLE),
	.meaning = "Whether the certificate was revoked could not be found out: a "
		   "revocation list is missing, unreadable, not signed by its issuer or "
		   "out of date. Nothing is said about the endpoint; its last proven "
		   "state stays in force.",
	.causes = { "the server that publishes the list cannot be reached from this host",
		    "the list's file was not refreshed and has expired",
		    "no list for one of the chain's issuers is configured under crl",
		    "the file or URL holds something else than a revocation list" },
	.remedies = { "fetch the list by hand: curl -o list.crl URL, then openssl crl -in "
		      "list.crl -noout -text",
		      "allow HTTP from this host to the server of the list",
		      "refresh the file; the daemon reads it again when it changes",
		      "name the list of every issuer of the chain under crl",
		      "remove crl from the settings to do without revocation checks" },
};

const struct catalogue_row catalogue_row_UNKNOWN_GATEWAY_UNHEALTHY = {
	OF_MESSAGE(UNKNOWN_GATEWAY_UNHEALTHY),
	.meaning = "The gateway itself stood still for seconds while the probe was under "
		   "way, so that the failure may be its own and nothing is said about the "
		   "endpoint; its last proven state stays in force.",
	.causes = { "the daemon was stopped by a signal or a debugger (SIGSTOP), or frozen "
		    "with its control group",
		    "the virtual machine was paused, moved or restored, or the host suspended",
		    "the host has no CPU time or memory left: other processes take it all, or "
		    "it swaps" },
	.remedies = { "wait for the next probe: it says again how the endpoint is",
		      "look at the daemon: sluice status, systemctl status sluiced, journalctl "
		      "-u sluiced",
		      "look at the host: free memory, load, CPU time stolen by the hypervisor "
		      "(vmstat), and the kernel's log (dmesg)",
		      "reserve CPU time and memory for the daemon: CPUWeight= and MemoryLow= "
		      "of its unit" },
};

const struct catalogue_row catalogue_row_PROBER_OVERLOADED = {
	OF_MESSAGE(PROBER_OVERLOADED),
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
};

const struct catalogue_row catalogue_row_LOCAL_RESOURCE = {
	OF_MESSAGE(LOCAL_RESOURCE),
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
};

const struct catalogue_row catalogue_row_PROBE_PENDING = {
	OF_MESSAGE(PROBE_PENDING),
	.meaning = "No probe of the endpoint has ended yet.",
	.causes = { "the daemon or the endpoint's configuration is only just in force" },
	.remedies = { "wait for the first probe: it starts within one interval, and ends "
		      "within "
		      "its timeout" },
};
