// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/config.h"
#include "config/report.h"
#include "daemon/background.h"
#include "daemon/daemon.h"
#include "daemon/options.h"
#include "util/err.h"
#include "util/log.h"

#define EXIT_USAGE 2
#define LINE_LEN 1024

static void print_report(const struct report *report)
{
	char line[LINE_LEN];

	for (size_t i = 0; i < report->n_items; i++) {
		report_format(line, sizeof(line), report, i);
		fprintf(stderr, "%s\n", line);
	}
	if (report->n_errors > report->n_items)
		fprintf(stderr, "%s: %zu more errors\n", report->file,
			report->n_errors - report->n_items);
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static int dry_run(const struct model *model)
{
	const struct gateway *gateway = &model->gateway;
	int status = EXIT_SUCCESS;

	printf("%u endpoint%s in %u pool%s would be probed and guarded\n", model_declared(model),
	       plural(model_declared(model)), model->n_pools, plural(model->n_pools));
	for (uint32_t i = 0; i < gateway->n_interfaces; i++) {
		const struct interface *interface = &gateway->interfaces[i];

		if (if_nametoindex(interface->name)) {
			printf("%s would be attached\n", interface->name);
			continue;
		}
		fprintf(stderr, "sluiced: interface '%s': %s\n", interface->name, strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}

/* Every probe in flight takes a descriptor, and the soft limit is often a thousand. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Started with closed ones ("2>&-"), a socket would become standard error, and be replaced later. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static void on_ready(void *arg)
{
	const int *fd = arg;

	if (*fd < 0)
		return;
	log_to_syslog();
	background_ready(*fd);
}

/* Takes over the model. */
static int run(const struct options *options, struct model *model)
{
	char path[PATH_MAX];
	int ready_fd = -1;
	struct daemon_options daemon = {
		.model = model,
		.config_path = realpath(options->config, path) ? path : options->config,
		.ready = on_ready,
		.ready_arg = &ready_fd,
	};
	struct err err = { "out of memory" };
	int r = 0; /* in the foreground there is nothing to start first */

	/* A reader of the log or of the socket that goes away is no reason to die. */
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	if (!options->foreground)
		r = background_start(&ready_fd, &err);
	if (r == 0)
		r = daemon_run(&daemon, &err);
	else
		model_free(model);
	if (r < 0) {
		log_error("%s", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report = { 0 };
	struct options options;
	struct err err;
	int r;

	open_standard_files();
	log_init("sluiced");
	r = options_parse(&options, argc, argv, &err);
	if (r < 0) {
		fprintf(stderr, "sluiced: %s\n", err.text);
		return EXIT_USAGE;
	}
	log_configure(options.log_form, options.log_level);
	if (options.help || options.version) {
		printf("%s", options.help ? options_usage : "sluiced " SLUICE_VERSION "\n");
		return EXIT_SUCCESS;
	}

	r = config_load(&model, options.config, &report);
	if (r < 0) {
		print_report(&report);
		if (r == -ENOMEM)
			fprintf(stderr, "sluiced: '%s' cannot be read: out of memory\n",
				options.config);
		return EXIT_FAILURE;
	}
	if (options.check) {
		printf("%s: ok: %u pool%s, %u endpoint%s\n", options.config, model->n_pools,
		       plural(model->n_pools), model_declared(model),
		       plural(model_declared(model)));
		return EXIT_SUCCESS;
	}
	if (options.dry_run)
		return dry_run(model);
	return run(&options, take_ptr(model));
}
