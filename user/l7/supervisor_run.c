// SPDX-License-Identifier: GPL-2.0-or-later
/* supervisor_run - the process: found, started, reloaded, told, and started again when it ends. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "l7/program.h"
#include "l7/supervisor_work.h"
#include "l7/talk.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define LOOK_MS 5 /* between looks whether a process serves the plan */
#define LOAD_MS 20000 /* until it must */
#define URGE_MS 3000 /* a master that is just executing itself anew may miss the signal */
#define AWAIT_MS 2000 /* until one that is dismissed has loaded */
#define ASK_EVERY 40 /* looks; then the master is asked whether it has given up */
#define AT_ONCE_MS 1
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 30000
#define PUSH_AGAIN_MS 20
#define STEADY_MS 10000 /* a process that served so long has not failed */

static void on_step(uv_timer_t *timer)
{
	supervisor_step(timer->data);
}

static void enter_phase(struct supervisor *supervisor, enum phase phase, uint64_t step_ms)
{
	supervisor->phase = phase;
	supervisor->since_ms = clock_mono_ms();
	if (step_ms)
		uv_timer_start(&supervisor->step, on_step, step_ms, 0);
	else
		uv_timer_stop(&supervisor->step);
	pthread_mutex_lock(&supervisor->lock);
	supervisor->status.running = supervisor->pidfd >= 0;
	supervisor->status.current = phase == PHASE_SERVING;
	supervisor->status.pid = supervisor->pidfd >= 0 ? supervisor->pid : 0;
	supervisor->status.plan = supervisor->number;
	if (phase == PHASE_SERVING)
		supervisor->status.error[0] = '\0';
	pthread_mutex_unlock(&supervisor->lock);
}

static void path_of(char path[PATH_MAX + 64], const struct supervisor *supervisor, uint64_t number)
{
	snprintf(path, PATH_MAX + 64, "%s/" L7_WORKER_SOCKET, supervisor->dir, number);
}

static void count(struct supervisor *supervisor, uint32_t *counter)
{
	pthread_mutex_lock(&supervisor->lock);
	(*counter)++;
	pthread_mutex_unlock(&supervisor->lock);
}

/* --- failures --------------------------------------------------------------------------------- */

static uint64_t pause_ms(const struct supervisor *supervisor)
{
	uint64_t pause = PAUSE_MIN_MS;

	/* Clients wait. */
	if (supervisor->failures == 1)
		return AT_ONCE_MS;
	for (uint32_t i = 2; i < supervisor->failures && pause < PAUSE_MAX_MS; i++)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

/* Whatever was wrong is tried again: an address may come, a file be repaired. */
static void fail(struct supervisor *supervisor, const char *what, const char *why)
{
	supervisor->failures++;
	count(supervisor, &supervisor->status.failures);
	enter_phase(supervisor, PHASE_PAUSE, pause_ms(supervisor));
	/* Once, and again when it has become serious. */
	if (supervisor->failures == 1 || supervisor->failures == 8)
		supervisor_say(supervisor, SUPERVISOR_ERROR, "failed", "%s: %s; it is tried again",
			       what, why);
}

/* --- the process ------------------------------------------------------------------------------ */

static void free_watch(uv_handle_t *handle)
{
	free(handle);
}

/* Returns the process's descriptor. */
static int unwatch(struct supervisor *supervisor)
{
	uv_poll_stop(supervisor->watch);
	uv_close((uv_handle_t *)take_ptr(supervisor->watch), free_watch);
	/* The handle no longer looks at it. */
	return take_fd(supervisor->pidfd);
}

void supervisor_let_go(struct supervisor *supervisor)
{
	if (supervisor->pidfd >= 0)
		close(unwatch(supervisor));
	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (supervisor->leaving[i].pid)
			close(supervisor->leaving[i].fd);
	memset(supervisor->leaving, 0, sizeof(supervisor->leaving));
}

static void tell_to_leave(struct leaving *one)
{
	one->told_ms = clock_mono_ms();
	syscall(SYS_pidfd_send_signal, one->fd, SIGUSR1, NULL, 0);
}

static bool answers(const char *path, const char *question)
{
	char answer[64];

	return talk(path, question, answer, sizeof(answer)) == 0 && answer[0];
}

/* While they load, both master and worker lose the signal: they are given a moment, until they answer. */
static void await_load(const struct supervisor *supervisor)
{
	uint64_t until_ms = clock_mono_ms() + AWAIT_MS;
	char worker[PATH_MAX + 64], master[PATH_MAX + 64];

	path_of(worker, supervisor, supervisor->number);
	snprintf(master, sizeof(master), "%s/" L7_MASTER_SOCKET, supervisor->dir);
	while (clock_mono_ms() < until_ms &&
	       !(answers(worker, "show info\n") && answers(master, "show proc\n")))
		uv_sleep(LOOK_MS);
}

void supervisor_dismiss(struct supervisor *supervisor)
{
	struct leaving one = { .pid = supervisor->pid };

	if (supervisor->pidfd < 0)
		return;
	if (supervisor->phase == PHASE_LOADING && supervisor->reloads)
		await_load(supervisor);
	one.fd = unwatch(supervisor);
	tell_to_leave(&one);
	for (size_t i = 0; i < LEAVING_MAX; i++)
		if (!supervisor->leaving[i].pid) {
			supervisor->leaving[i] = one;
			return;
		}
	close(one.fd);
}

static bool has_ended(const struct leaving *one)
{
	return poll(&(struct pollfd){ .fd = one->fd, .events = POLLIN }, 1, 0) > 0;
}

/* See the dismissed off. What was loading for longer than anybody waits for is told again. */
static void collect(struct supervisor *supervisor)
{
	for (size_t i = 0; i < LEAVING_MAX; i++) {
		struct leaving *one = &supervisor->leaving[i];

		if (!one->pid)
			continue;
		if (has_ended(one)) {
			/* Of one that somebody else has started, there is nothing to collect. */
			waitpid(one->pid, NULL, WNOHANG);
			close(one->fd);
			*one = (struct leaving){ .pid = 0 };
		} else if (one->urged < LOAD_MS / URGE_MS &&
			   clock_mono_ms() - one->told_ms >= URGE_MS) {
			one->urged++;
			tell_to_leave(one);
		}
	}
}

static void describe_end(char *buf, size_t size, const struct supervisor *supervisor)
{
	int status;

	buf[0] = '\0';
	if (waitpid(supervisor->pid, &status, WNOHANG) != supervisor->pid)
		snprintf(buf, size, "it is no longer there");
	else if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (supervisor->wanted.plan)
		l7_program_complaint(buf, size, supervisor->wanted.plan,
				     supervisor->phase == PHASE_LOADING);
}

static void on_end(uv_poll_t *poll, int status, int events)
{
	struct supervisor *supervisor = poll->data;
	bool served = supervisor->phase == PHASE_SERVING;
	char why[512];

	(void)status;
	(void)events;
	describe_end(why, sizeof(why), supervisor);
	close(unwatch(supervisor));
	if (!supervisor->wanted.plan) {
		enter_phase(supervisor, PHASE_OFF, 0);
		return;
	}
	supervisor_hold_begin(supervisor);
	if (served && clock_mono_ms() - supervisor->since_ms >= STEADY_MS)
		supervisor->failures = 0;
	fail(supervisor, served ? "HAProxy has ended" : "HAProxy did not start", why);
}

/* Of a child as well as of one that was there before: libuv watches only the former. */
static int watch(struct supervisor *supervisor, pid_t pid)
{
	CLEANUP(free_p) uv_poll_t *poll = calloc(1, sizeof(*poll));
	CLEANUP(close_p) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int r;

	if (!poll || fd < 0)
		return poll ? -errno : -ENOMEM;
	r = uv_poll_init(&supervisor->loop, poll, fd);
	if (r < 0)
		return r;
	poll->data = supervisor;
	supervisor->pidfd = take_fd(fd);
	supervisor->pid = pid;
	supervisor->watch = take_ptr(poll);
	return uv_poll_start(supervisor->watch, UV_READABLE, on_end);
}

static void note_start(struct supervisor *supervisor)
{
	pthread_mutex_lock(&supervisor->lock);
	supervisor->status.started_ms = clock_wall_ms();
	pthread_mutex_unlock(&supervisor->lock);
}

/* One that another daemon has left. It has a number; no other is to have the same. */
static void look_for_one(struct supervisor *supervisor, bool *ret_same)
{
	char path[PATH_MAX + 64];
	struct l7_last last;
	pid_t pid, worker;

	supervisor->looked = true;
	*ret_same = false;
	if (l7_program_last(&last, supervisor->dir) == 0)
		supervisor->number = supervisor->served = last.number;
	snprintf(path, sizeof(path), "%s/" L7_MASTER_SOCKET, supervisor->dir);
	if (talk_owner(&pid, path) < 0 || watch(supervisor, pid) < 0)
		return;
	snprintf(supervisor->program, sizeof(supervisor->program), "%s", last.program);
	note_start(supervisor);
	path_of(path, supervisor, last.number);
	/* What was written last may never have been loaded. */
	while (supervisor->served && talk_owner(&worker, path) < 0)
		path_of(path, supervisor, --supervisor->served);
	*ret_same = supervisor->wanted.plan && supervisor->served &&
		    supervisor->served == supervisor->number &&
		    !strcmp(last.digest, supervisor->wanted.plan->digest);
}

/* --- a plan comes in force -------------------------------------------------------------------- */

/* Returns since when something is to be told, or 0. */
static uint64_t copy_servers(struct supervisor *supervisor)
{
	uint64_t now_ms = clock_mono_ms(), changed_ns;

	pthread_mutex_lock(&supervisor->lock);
	memcpy(supervisor->servers, supervisor->wanted.servers,
	       supervisor->wanted.plan->n_lines * sizeof(*supervisor->servers));
	changed_ns = supervisor->changed_ns;
	supervisor->changed_ns = 0;
	pthread_mutex_unlock(&supervisor->lock);
	for (uint32_t i = 0; i < supervisor->wanted.plan->n_lines; i++) {
		struct l7_server *server = &supervisor->servers[i];

		if (server->standing == L7_DRAINING && server->deadline_ms &&
		    server->deadline_ms <= now_ms)
			server->standing = L7_DRAINED;
	}
	return changed_ns;
}

static void serve(struct supervisor *supervisor, const char *state, const char *how)
{
	char path[PATH_MAX + 64];

	/* Sockets of those before it, also of those that never came to serve. */
	for (; supervisor->served < supervisor->number; supervisor->served++) {
		path_of(path, supervisor, supervisor->served);
		unlink(path);
	}
	enter_phase(supervisor, PHASE_SERVING, 0);
	supervisor->is_silent = false;
	path_of(path, supervisor, supervisor->number);
	/* Before it is told anything: whoever answers later and is another was not told. */
	supervisor_read_clients(supervisor, path, &supervisor->worker);
	push_forget(&supervisor->push, supervisor->wanted.plan->n_lines);
	supervisor_push(supervisor);
	supervisor_hold_renew(supervisor, path);
	supervisor_say(supervisor, SUPERVISOR_INFO, state,
		       "HAProxy %s: process %d, configuration %" PRIu64, how, (int)supervisor->pid,
		       supervisor->number);
}

/* What this process has counted is about to be lost with it. */
static void keep_numbers(struct supervisor *supervisor)
{
	pthread_mutex_lock(&supervisor->lock);
	memcpy(supervisor->before, supervisor->numbers,
	       supervisor->wanted.plan->n_lines * sizeof(*supervisor->before));
	pthread_mutex_unlock(&supervisor->lock);
}

static bool runs_another_program(const struct supervisor *supervisor)
{
	return supervisor->pidfd >= 0 && supervisor->program[0] &&
	       strcmp(supervisor->program, supervisor->wanted.program) != 0;
}

/* A reload executes the same program: one of another follows a process that leaves, with its sockets. */
static void make_way(struct supervisor *supervisor)
{
	char path[PATH_MAX + 64];

	path_of(path, supervisor, supervisor->served);
	if (!supervisor->hold.n)
		supervisor_hold_renew(supervisor, path);
	supervisor_hold_begin(supervisor);
	supervisor_dismiss(supervisor);
}

static int load(struct supervisor *supervisor, struct err *err)
{
	struct wanted *wanted = &supervisor->wanted;
	pid_t pid;
	int r;

	if (!wanted->accepted) {
		r = l7_program_check(wanted->plan, wanted->program, L7_CHECK_MS, &supervisor->ends,
				     err);
		if (r < 0)
			return r;
		wanted->accepted = true;
	}
	/* Before there is another number: it may still be loading what has the last one. */
	if (runs_another_program(supervisor))
		make_way(supervisor);
	supervisor->urged = 0;
	supervisor->reloads = supervisor->pidfd >= 0;
	wanted->plan->number = ++supervisor->number;
	copy_servers(supervisor);
	r = l7_program_write(wanted->plan, supervisor->servers, err);
	if (r < 0)
		return r;
	if (supervisor->reloads) {
		/* One that an older daemon has left does not say which it is. */
		if (!supervisor->program[0])
			snprintf(supervisor->program, sizeof(supervisor->program), "%s",
				 wanted->program);
		count(supervisor, &supervisor->status.reloads);
		return kill(supervisor->pid, SIGUSR2) < 0
			       ? err_set(err, -errno, "%s", strerror(errno))
			       : 0;
	}
	r = l7_program_start(&pid, wanted->program, supervisor->dir,
			     supervisor_hold_offer(supervisor), err);
	if (r < 0)
		return r;
	count(supervisor, &supervisor->status.starts);
	note_start(supervisor);
	snprintf(supervisor->program, sizeof(supervisor->program), "%s", wanted->program);
	r = watch(supervisor, pid);
	if (r == 0)
		return 0;
	/* Nobody would see it end. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err_set(err, r, "%s", strerror(-r));
}

void supervisor_bring(struct supervisor *supervisor)
{
	bool same = false;
	struct err err;

	if (!supervisor->looked)
		look_for_one(supervisor, &same);
	if (!supervisor->wanted.plan) {
		supervisor_dismiss(supervisor);
		supervisor_hold_end(supervisor);
		enter_phase(supervisor, PHASE_OFF, 0);
		return;
	}
	if (same) {
		supervisor->wanted.plan->number = supervisor->number;
		serve(supervisor, "adopted", "was running and is adopted");
		return;
	}
	/* One that is starting could not bear the signal to load: another one starts. */
	if (supervisor->phase == PHASE_LOADING && !supervisor->reloads)
		supervisor_dismiss(supervisor);
	keep_numbers(supervisor);
	if (load(supervisor, &err) == 0)
		enter_phase(supervisor, PHASE_LOADING, LOOK_MS);
	else if (!atomic_load(&supervisor->ends))
		fail(supervisor, "HAProxy", err.text);
}

/* A master that could not load goes on with the worker that it has. */
static bool has_given_up(const struct supervisor *supervisor)
{
	char path[PATH_MAX + 64], answer[8192];
	unsigned int failed;
	const char *at;

	snprintf(path, sizeof(path), "%s/" L7_MASTER_SOCKET, supervisor->dir);
	if (talk(path, "show proc\n", answer, sizeof(answer)) < 0)
		return false;
	at = strstr(answer, "[failed: ");
	return at && sscanf(at, "[failed: %u]", &failed) == 1 && failed > 0;
}

static void look(struct supervisor *supervisor)
{
	uint64_t waited_ms = clock_mono_ms() - supervisor->since_ms;
	char path[PATH_MAX + 64], why[512];
	pid_t worker;

	path_of(path, supervisor, supervisor->number);
	if (talk_owner(&worker, path) == 0) {
		serve(supervisor, supervisor->reloads ? "reloaded" : "started",
		      supervisor->reloads ? "has reloaded" : "serves");
		return;
	}
	if (waited_ms > LOAD_MS ||
	    (waited_ms / LOOK_MS % ASK_EVERY == ASK_EVERY - 1 && has_given_up(supervisor))) {
		fail(supervisor,
		     "HAProxy did not load its configuration and goes on with the last one",
		     l7_program_complaint(why, sizeof(why), supervisor->wanted.plan, true));
		return;
	}
	if (supervisor->reloads && waited_ms >= (uint64_t)URGE_MS * (supervisor->urged + 1)) {
		supervisor->urged++;
		kill(supervisor->pid, SIGUSR2);
	}
	uv_timer_start(&supervisor->step, on_step, LOOK_MS, 0);
}

void supervisor_step(struct supervisor *supervisor)
{
	switch (supervisor->phase) {
	case PHASE_PAUSE:
		supervisor_bring(supervisor);
		break;
	case PHASE_LOADING:
		look(supervisor);
		break;
	case PHASE_SERVING:
		supervisor_push(supervisor);
		break;
	case PHASE_OFF:
		break;
	}
}

/* --- what it is told, and says ---------------------------------------------------------------- */

/* Whether a process that is there does not answer; of one that has gone, its end tells. */
static bool is_silence(int r)
{
	return r == -EAGAIN || r == -ETIMEDOUT;
}

/* Once when it begins, and when it is over. */
static void note_silence(struct supervisor *supervisor, int r)
{
	bool was_silent = supervisor->is_silent;

	supervisor->is_silent = is_silence(r);
	if (supervisor->is_silent == was_silent)
		return;
	if (supervisor->is_silent) {
		supervisor_say(
			supervisor, SUPERVISOR_ERROR, "silent",
			"HAProxy is there, and does not answer: process %d hears of no verdict",
			(int)supervisor->pid);
		return;
	}
	pthread_mutex_lock(&supervisor->lock);
	supervisor->status.error[0] = '\0';
	pthread_mutex_unlock(&supervisor->lock);
	supervisor_say(supervisor, SUPERVISOR_INFO, "answers", "HAProxy answers again: process %d",
		       (int)supervisor->pid);
}

void supervisor_push(struct supervisor *supervisor)
{
	char path[PATH_MAX + 64], complaint[256];
	uint64_t changed_ns;
	uint32_t n;
	int r;

	if (supervisor->phase != PHASE_SERVING)
		return;
	changed_ns = copy_servers(supervisor);
	path_of(path, supervisor, supervisor->number);
	r = push_servers(&supervisor->push, supervisor->wanted.plan, supervisor->servers, path, &n,
			 complaint, sizeof(complaint));
	if (complaint[0])
		log_warn("HAProxy: %s", complaint);
	if (n || r < 0)
		note_silence(supervisor, r);
	if (r < 0) {
		/* What of it has arrived is not known. */
		push_forget(&supervisor->push, supervisor->wanted.plan->n_lines);
		uv_timer_start(&supervisor->step, on_step, PUSH_AGAIN_MS, 0);
		return;
	}
	pthread_mutex_lock(&supervisor->lock);
	supervisor->status.pushes += n;
	if (n && changed_ns) {
		supervisor->status.told_us = (clock_mono_ns() - changed_ns) / NS_PER_US;
		if (supervisor->status.told_us > supervisor->status.slowest_us)
			supervisor->status.slowest_us = supervisor->status.told_us;
	}
	pthread_mutex_unlock(&supervisor->lock);
}

/* Somebody else has had it load its configuration again: another worker serves, which nobody has told anything. */
static void note_worker(struct supervisor *supervisor, const char *path, uint64_t worker)
{
	bool is_another = supervisor->worker && worker && worker != supervisor->worker;
	bool is_ours = supervisor->urged;

	if (worker)
		supervisor->worker = worker;
	if (!is_another)
		return;
	keep_numbers(supervisor);
	push_forget(&supervisor->push, supervisor->wanted.plan->n_lines);
	supervisor_push(supervisor);
	supervisor_hold_renew(supervisor, path);
	supervisor->urged = 0;
	/* Who was told twice to load may load twice. */
	if (is_ours)
		return;
	supervisor_say(
		supervisor, SUPERVISOR_WARNING, "replaced",
		"HAProxy was reloaded, and not by Sluice: process %d, another worker, which was "
		"told everything anew",
		(int)supervisor->pid);
}

void supervisor_tick(struct supervisor *supervisor)
{
	bool serves = supervisor->phase == PHASE_SERVING;
	char path[PATH_MAX + 64];
	uint64_t worker;
	int r;

	collect(supervisor);
	supervisor_hold_tick(supervisor);
	path_of(path, supervisor, supervisor->number);
	r = supervisor_read_clients(supervisor, serves ? path : NULL, &worker);
	if (!serves)
		return;
	note_silence(supervisor, r);
	/* Whoever asks for anything more waits as long again. */
	if (supervisor->is_silent)
		return;
	if (clock_mono_ms() - supervisor->since_ms >= STEADY_MS)
		supervisor->failures = 0;
	note_worker(supervisor, path, worker);
	supervisor_push(supervisor);
	l7_program_trim(supervisor->dir);
	if (clock_mono_ms() >= supervisor->read_ms)
		supervisor_read_numbers(supervisor, path);
}
