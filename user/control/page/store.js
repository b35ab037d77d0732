// SPDX-License-Identifier: GPL-2.0-or-later
// store - what the daemon has told: pools, services, and their endpoints by number.

const NEAR_MS = 60 * 86400000; // an end of a certificate that may become a problem while the page is open

// Whether there may be more to say of an endpoint than that it is well.
function isNotable(row) {
	return row.health !== "Healthy" || row.admin !== "enabled" || row.forced || row.disagrees ||
		(row.cert_not_after && new Date(row.cert_not_after) - Date.now() < NEAR_MS);
}

export class Store {
	pools = [];
	services = new Map(); // by number
	notable = new Map(); // of the endpoints, by key: few, where all is well
	generation = null;
	status = null;
	statusAt = 0;
	complete = false;

	outline(data) {
		this.generation = data.generation;
		this.pools = data.pools;
		this.complete = false;
		this.services = new Map();
		this.notable.clear();
		for (const pool of data.pools) {
			for (const service of pool.services) {
				service.pool = pool.name;
				service.rows = [];
				service.count = 0;
				this.services.set(service.service, service);
			}
		}
	}

	rows(rows) {
		const now = Date.now();
		for (const row of rows) {
			const service = this.services.get(row.service);
			if (!service) continue;
			row.key = `${row.service}.${row.member}`;
			service.count += !row.gone - Boolean(service.rows[row.member]);
			if (row.gone) {
				delete service.rows[row.member];
				this.notable.delete(row.key);
				continue;
			}
			if (isNotable(row)) this.notable.set(row.key, row);
			else this.notable.delete(row.key);
			row.at = now; // what is left of a drain counts down from here
			row.words = `${row.address}:${row.port} ${row.backend} ${service.pool} ${service.name} ${row.health} ${row.admin} ${row.id} ${row.message}`.toLowerCase();
			service.rows[row.member] = row;
		}
	}

}

export function tally(rows) {
	const count = { Healthy: 0, Unhealthy: 0, Unknown: 0 };
	for (const row of rows) if (row) count[row.health]++;
	return count;
}
