// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/crl_fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <curl/curl.h>

#include "probe/crl_list.h"
#include "util/clock.h"

#define BUFFER_FIRST_BYTES 4096
#define POLL_MAX_MS 60000

struct job {
	const char *url;
	CURL *easy; /* NULL: nothing is under way */
	uint8_t *data;
	size_t len, size;
	uint64_t due_ms;
	uint64_t retry_ms; /* delay after the last failure; 0: there was none */
	char error[CURL_ERROR_SIZE];
};

struct crl_fetcher {
	pthread_t thread;
	atomic_bool stop;
	CURLM *multi;
	struct job *jobs;
	uint32_t n;
	crl_fetched_fn *done;
	void *arg;
};

static void forget_data(struct job *job)
{
	free(job->data);
	job->data = NULL;
	job->len = job->size = 0;
}

static void drop_easy(struct crl_fetcher *fetcher, struct job *job)
{
	if (!job->easy)
		return;
	curl_multi_remove_handle(fetcher->multi, job->easy);
	curl_easy_cleanup(job->easy);
	job->easy = NULL;
}

/* A return value other than size * n makes libcurl give up. */
static size_t receive(char *data, size_t size, size_t n, void *arg)
{
	struct job *job = arg;
	size_t len = size * n, want = job->len + len;

	if (want > CRL_BYTES_MAX)
		return 0;
	if (want > job->size) {
		size_t room = job->size ? job->size * 2 : BUFFER_FIRST_BYTES;
		uint8_t *grown = realloc(job->data, room < want ? want : room);

		if (!grown)
			return 0;
		job->data = grown;
		job->size = room < want ? want : room;
	}
	if (len)
		memcpy(job->data + job->len, data, len);
	job->len = want;
	return len;
}

static bool set_options(struct job *job)
{
	CURL *easy = job->easy;

	return !curl_easy_setopt(easy, CURLOPT_URL, job->url) &&
	       !curl_easy_setopt(easy, CURLOPT_PRIVATE, job) &&
	       !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) &&
	       !curl_easy_setopt(easy, CURLOPT_WRITEDATA, job) &&
	       !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error) &&
	       !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") &&
	       !curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http") &&
	       !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)CRL_FETCH_REDIRECTS_MAX) &&
	       !curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
	       /* A name that is still being resolved must not hold up the end of the thread. */
	       !curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) &&
	       !curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)CRL_FETCH_TIMEOUT_MS) &&
	       !curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
				 (long)CRL_FETCH_CONNECT_TIMEOUT_MS) &&
	       !curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)CRL_BYTES_MAX) &&
	       !curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice");
}

static uint64_t longer(uint64_t retry_ms)
{
	if (!retry_ms)
		return CRL_FETCH_RETRY_MIN_MS;
	return retry_ms * 2 < CRL_FETCH_RETRY_MAX_MS ? retry_ms * 2 : CRL_FETCH_RETRY_MAX_MS;
}

/* Hand over what came, or error (NULL: it did come), and set the time of the next attempt. */
static void finish(struct crl_fetcher *fetcher, struct job *job, const char *error)
{
	struct crl_fetched fetched = {
		.id = (uint32_t)(job - fetcher->jobs),
		.data = error ? NULL : job->data,
		.len = error ? 0 : job->len,
		.error = error,
	};
	uint64_t again_ms;

	if (!error && !job->len)
		fetched.error = "the answer is empty";
	again_ms = fetcher->done(fetcher->arg, &fetched);
	if (fetched.error)
		again_ms = 0;
	job->retry_ms = again_ms ? 0 : longer(job->retry_ms);
	job->due_ms = clock_mono_ms() + (again_ms ? again_ms : job->retry_ms);
	drop_easy(fetcher, job);
	forget_data(job);
}

static void start(struct crl_fetcher *fetcher, struct job *job)
{
	job->error[0] = '\0';
	job->easy = curl_easy_init();
	if (!job->easy || !set_options(job) || curl_multi_add_handle(fetcher->multi, job->easy))
		finish(fetcher, job, "no memory for fetching it");
}

/* Start what is due; returns in how many milliseconds the next will be. */
static int start_due(struct crl_fetcher *fetcher)
{
	uint64_t now_ms = clock_mono_ms(), wait_ms = POLL_MAX_MS;

	for (uint32_t i = 0; i < fetcher->n; i++) {
		struct job *job = &fetcher->jobs[i];

		if (job->easy || !job->url)
			continue;
		if (job->due_ms <= now_ms)
			start(fetcher, job);
		else if (job->due_ms - now_ms < wait_ms)
			wait_ms = job->due_ms - now_ms;
	}
	return (int)wait_ms;
}

static void finish_ended(struct crl_fetcher *fetcher)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(fetcher->multi, &left))) {
		CURLcode result = msg->data.result;
		struct job *job = NULL;

		if (msg->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &job) || !job)
			continue;
		if (!result)
			finish(fetcher, job, NULL);
		else if (result == CURLE_WRITE_ERROR || result == CURLE_FILESIZE_EXCEEDED)
			finish(fetcher, job, "the answer is too large");
		else
			finish(fetcher, job,
			       job->error[0] ? job->error : curl_easy_strerror(result));
	}
}

static void *run(void *arg)
{
	struct crl_fetcher *fetcher = arg;

	while (!atomic_load(&fetcher->stop)) {
		int wait_ms = start_due(fetcher), running;

		curl_multi_perform(fetcher->multi, &running);
		finish_ended(fetcher);
		curl_multi_poll(fetcher->multi, NULL, 0, wait_ms, NULL);
	}
	return NULL;
}

static void fetcher_free(struct crl_fetcher *fetcher)
{
	for (uint32_t i = 0; fetcher->jobs && i < fetcher->n; i++) {
		drop_easy(fetcher, &fetcher->jobs[i]);
		forget_data(&fetcher->jobs[i]);
	}
	curl_multi_cleanup(fetcher->multi);
	free(fetcher->jobs);
	free(fetcher);
}
DEFINE_CLEANUP(struct crl_fetcher, fetcher_free)

int crl_fetcher_start(struct crl_fetcher **ret, char *const *urls, uint32_t n, crl_fetched_fn *done,
		      void *arg)
{
	CLEANUP(fetcher_free_p) struct crl_fetcher *fetcher = calloc(1, sizeof(*fetcher));
	int r;

	if (!fetcher)
		return -ENOMEM;
	*fetcher = (struct crl_fetcher){ .n = n, .done = done, .arg = arg };
	fetcher->multi = curl_multi_init();
	fetcher->jobs = calloc(n ? n : 1, sizeof(*fetcher->jobs));
	if (!fetcher->multi || !fetcher->jobs)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		fetcher->jobs[i].url = urls[i];

	r = pthread_create(&fetcher->thread, NULL, run, fetcher);
	if (r)
		return -r;
	*ret = take_ptr(fetcher);
	return 0;
}

void crl_fetcher_stop(struct crl_fetcher *fetcher)
{
	if (!fetcher)
		return;
	atomic_store(&fetcher->stop, true);
	curl_multi_wakeup(fetcher->multi);
	pthread_join(fetcher->thread, NULL);
	fetcher_free(fetcher);
}
