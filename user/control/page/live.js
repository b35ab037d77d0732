// SPDX-License-Identifier: GPL-2.0-or-later
// live - the daemon's events, for as long as somebody looks at the page.

/*
 * A browser keeps six connections to a host, over all of its tabs: a page that nobody sees gives its own up, and goes
 * on from where it was when it is seen again.
 */
export function connect(handlers) {
	let source = null;
	let after = null;
	let last = Date.now();

	function open() {
		if (source || document.hidden) return;
		source = new EventSource(after ? `/v1/live?after=${encodeURIComponent(after)}` : "/v1/live");
		last = Date.now();
		const on = (name, take) => source.addEventListener(name, (event) => {
			last = Date.now();
			take(JSON.parse(event.data), event);
		});
		on("outline", (data) => {
			after = null;
			handlers.outline(data);
		});
		on("rows", (data) => handlers.rows(data.rows));
		on("status", (data) => handlers.status(data));
		on("complete", (data, event) => {
			after = event.lastEventId;
			handlers.complete();
		});
		source.onopen = () => handlers.link("live");
		source.onerror = () => {
			handlers.link("lost");
			// A browser does not try again after an answer that is an error.
			if (source?.readyState === EventSource.CLOSED) reopen();
		};
	}
	function close() {
		source?.close();
		source = null;
	}
	function reopen() {
		close();
		setTimeout(open, 1000);
	}

	document.addEventListener("visibilitychange", () => {
		if (document.hidden) close();
		else open();
	});
	// A status comes every second: silence is a daemon that hangs, or a way that was cut.
	setInterval(() => {
		if (!source || Date.now() - last < 5000) return;
		handlers.link("lost");
		reopen();
	}, 1000);
	addEventListener("pagehide", close);
	open();
}
