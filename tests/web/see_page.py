# SPDX-License-Identifier: GPL-2.0-or-later
"""see_page AXE: what a person sees of a small gateway, with a mouse and without, while things happen to it."""

import os
import signal
import subprocess
import sys
import time

from browser import Browser
from tap import check, end

WORK, SLUICE = os.environ["WORK"], os.environ["SLUICE"]
PAGE = "http://127.0.0.1:9477/"
ROW = """const row = [...document.querySelectorAll('.level3')].find((row) => row.querySelector('.place').textContent.startsWith(arguments[0])
    && (!arguments[1] || row.textContent.includes(arguments[1])));"""
STATE = ROW + "return row?.querySelector('.standing').textContent"
IS = ROW + "return row?.querySelector('.standing').textContent === arguments[2]"
FOCUS = "return document.activeElement.id || document.activeElement.tagName"


def sluice(*args):
    subprocess.run([SLUICE, *args], check=True, stdout=subprocess.DEVNULL)


def link(*args):
    subprocess.run(["ip", "link", *args], check=True)


def sick(backend, is_sick):
    path = f"{WORK}/{backend}.sick"
    if is_sick:
        open(path, "w").close()
    elif os.path.exists(path):
        os.unlink(path)


def first_look(b):
    b.go(PAGE)
    b.until(IS, "10.2.2.2:80", "", "Healthy")
    check("the page shows an endpoint", True)
    b.until("return document.querySelectorAll('.level3').length === 8")
    check("every endpoint, with its pools and services", b.run("return document.querySelectorAll('.level1').length === 3 && document.querySelectorAll('.level2').length === 5"))
    b.until("return document.querySelectorAll('.level3 .spark rect').length > 20")
    check("the last probes are drawn", True)
    b.until("return document.querySelector('#gateway table td')")
    text = b.text("#gateway")
    check("interfaces, modes, heartbeat and maps are there", all(word in text for word in ("xdp-native", "gb2", "ms ago", "targets", "flows", "attached")), text[:200])
    b.until("return document.querySelectorAll('#timeline li').length > 3")
    check("and what happened", True)
    for state in ("Healthy", "Unhealthy"):
        check(f"{state} is a shape and a word", b.run("""const span = [...document.querySelectorAll('.standing')].find((span) => span.textContent === arguments[0]);
            return span?.querySelector('path').getAttribute('d').length > 0""", state))
    shapes = b.run("return [...new Set([...document.querySelectorAll('.standing path')].map((path) => path.getAttribute('d')))].length")
    check("and another shape for each", shapes >= 2)


def fails(b):
    """Seconds until the page says that a backend has failed."""
    start = time.monotonic()
    sick("b1", True)
    b.until(IS, "10.2.1.2:80", "", "Unhealthy")
    return time.monotonic() - start


def recovers(b):
    sick("b1", False)
    b.until(IS, "10.2.1.2:80", "", "Healthy")
    b.until("return !document.querySelector('#problems').textContent.includes('with status 503')")


def live(b):
    b.run("window.stays = true")
    rounds = [fails(b)]
    # A machine that others share may stand still: that is not the page's.
    while rounds[-1] >= 1 and len(rounds) < 5:
        recovers(b)
        rounds.append(fails(b))
    check("a backend fails, and the page says so within a second", rounds[-1] < 1, f"after {[round(took * 1000) for took in rounds]} ms")
    b.until("return document.querySelector('#problems').textContent.includes('with status 503')")
    check("what is wrong is on top", True)
    b.until("return [...document.querySelectorAll('#timeline li')].slice(0, 6).some((item) => item.textContent.includes('10.2.1.2:80: Healthy → Unhealthy'))")
    check("and among the events", True)
    # The same server is behind another endpoint, which is probed at its own time.
    b.until("return document.querySelector('#problems').textContent.includes('api-pool / api: ')")
    said = b.text("#problems")
    time.sleep(2.5)
    check("what stays as it is is not said anew", b.text("#problems") == said, f"{said} became {b.text('#problems')}")
    recovers(b)
    check("it is well again", b.run("return window.stays === true"))


def details(b):
    b.run(ROW + "row.click()", "10.2.2.2:80", "")
    b.until("return document.querySelectorAll('#detail tbody tr').length >= 8")
    text = b.text("#detail-body")
    check("an endpoint in full: stage times", "First byte" in text and "µs" in text)
    check("what traffic shows", "connections that clients tried" in text)
    check("what the probe does", "/healthz" in text and "unhealthy_threshold" in text)
    b.run(ROW + "row.click()", "10.2.1.2:8444", "")
    b.until("return document.querySelector('#detail .chain')?.textContent.includes('soon.test')")
    text = b.text("#detail .chain")
    check("its certificate", "CN=soon.test" in text and "DNS:soon.test" in text and "ends in 9 d" in text, text[:160])
    gone = False
    for _ in range(60):
        gone = gone or not b.run("return document.querySelector('#detail .chain')?.textContent.includes('soon.test')")
        time.sleep(0.05)
    check("which stays while sessions are resumed", not gone and b.run("return document.querySelector('#detail-message').textContent.includes('soon.test')"))
    check("ends soon, the row says", "! certificate ends in 9 d" in b.run(ROW + "return row.textContent", "10.2.1.2:8444", ""))
    check("and the summary", "certificate expires in 9 d" in b.text("#problems"))
    b.run(ROW + "row.click()", "10.2.1.2:8443", "")
    b.until("return document.querySelector('#detail-title').textContent.includes(':8443') && document.querySelector('#detail').textContent.includes('What to do')")
    check("remedies of what fails", b.run("return [...document.querySelectorAll('#detail h3')].find((h) => h.textContent === 'What to do').nextElementSibling.children.length > 0"))


def hostile(b):
    b.until("return document.querySelector('#detail').textContent.includes('<img src=x onerror=')")
    check("what a hostile backend says is shown as it is", True)
    check("and nothing of it is an element", b.run("return document.images.length === 0 && document.scripts.length === 1"))
    check("nor is it run", "owned" not in b.run("return document.title"))
    check("even a mistake in the page would not run it", b.run("try { document.createElement('p').innerHTML = '<b>x</b>'; return false } catch (e) { return e instanceof TypeError }"))
    check("nothing is loaded from anywhere else", b.run("return performance.getEntriesByType('resource').every((entry) => entry.name.startsWith(location.origin + '/'))"))
    b.run("document.querySelector('#close').click()")


def filters(b):
    shown = "return [...document.querySelectorAll('.level3 .place')].map((place) => place.textContent)"
    b.run("const input = document.querySelector('#filter'); input.value = 'api-pool fd02:1'; input.dispatchEvent(new Event('input'))")
    b.until("return document.querySelectorAll('.level3').length === 2")
    check("a filter shows what it is for", all(place.startswith("[fd02:1::2]") for place in b.run(shown)))
    check("and how much that is", b.text("#shown") == "2 of 8 endpoints", b.text("#shown"))
    b.run("const input = document.querySelector('#filter'); input.value = ''; input.dispatchEvent(new Event('input'))")
    b.run("document.querySelector('#states input[value=Healthy]').click()")
    b.until("return document.querySelectorAll('.level3').length === 3")
    check("a state that is switched off is not shown", "Healthy" not in b.run("return [...document.querySelectorAll('.standing')].map((s) => s.textContent)"))
    b.run("document.querySelector('#states input[value=Healthy]').click()")
    b.run("const input = document.querySelector('#event-filter'); input.value = 'nowhere'; input.dispatchEvent(new Event('input'))")
    check("events have a filter", b.text("#timeline") == "No events.")
    b.run("const input = document.querySelector('#event-filter'); input.value = ''; input.dispatchEvent(new Event('input'))")


def kinds(b):
    kind = "const select = document.querySelector('#event-kind'); select.value = arguments[0]; select.dispatchEvent(new Event('change'))"
    shown = "return [...new Set([...document.querySelectorAll('#timeline .kind')].map((kind) => kind.textContent.split(': ').at(-1)))].sort()"
    there = b.run("return [...document.querySelector('#event-kind').options].map((option) => option.value)")
    check("every kind of event may be chosen", {"health", "order", "access", "interface", "daemon"} <= set(there), str(there))
    for name in ("interface", "daemon"):
        b.run(kind, name)
        check(f"the kind {name} alone", b.run(shown) == [name], b.run(shown))
    b.run(kind, "")
    check("and all of them", len(b.run(shown)) > 2)


def interfaces(b):
    """One that comes, vanishes, and is detached."""
    table = "return document.querySelector('#gateway table').textContent"
    link("add", "extra0", "type", "veth", "peer", "name", "extra1")
    sluice("attach", "extra0")
    b.until(table + ".includes('extra0attached')")
    check("an interface that was attached is there", "1 change at runtime" in b.text("#gateway"))
    link("del", "extra0")
    b.until(table + ".includes('extra0gone')")
    b.until("return document.querySelector('#problems').textContent.includes('Interface extra0 is not guarded, since')")
    check("one that has vanished is on top", True, b.text("#problems li"))
    b.until("return [...document.querySelectorAll('#timeline li')].slice(0, 6).some((item) => item.textContent.includes(\"interface 'extra0' is not guarded\"))")
    check("and among the events", True)
    link("add", "extra0", "type", "veth", "peer", "name", "extra1")
    b.until(table + ".includes('extra0attached')")
    check("it is back", b.run("return document.querySelector('#gateway table').rows[document.querySelector('#gateway table').rows.length - 1].cells[3].textContent === 'once'"))
    sluice("detach", "extra0")
    b.until("return !document.querySelector('#gateway table').textContent.includes('extra0') && !document.querySelector('#problems').textContent.includes('extra0')")
    check("and detached, it is no matter any more", True)
    link("del", "extra0")


def keyboard(b):
    b.go(PAGE)
    b.until("return document.querySelectorAll('.level3').length === 8")
    b.until("return document.querySelectorAll('#problems button').length > 0")
    for _ in range(40):
        b.keys("Tab")
        if b.run(FOCUS) == "endpoints":
            break
    check("the tab key comes to the endpoints", b.run(FOCUS) == "endpoints")
    active = "return document.getElementById(document.querySelector('#endpoints').getAttribute('aria-activedescendant'))?.textContent"
    b.keys("Down", "Down")
    check("arrows go from one to the next", "10.2.1.2:80" in (b.run(active) or ""), b.run(active))
    b.keys("Enter")
    b.until("return !document.querySelector('#detail').hidden && document.querySelector('#detail-title').textContent === '10.2.1.2:80'")
    check("enter opens it, and has the focus there", b.run(FOCUS) == "detail")
    b.keys("Escape")
    check("escape goes back", b.run("return document.querySelector('#detail').hidden") and b.run(FOCUS) == "endpoints")
    b.keys("n")
    check("n goes to what is wrong", "Unhealthy" in b.run(active), b.run(active))
    b.keys("Left", "Left")
    b.until("return document.querySelectorAll('.level3').length < 8")
    check("left folds", True)
    b.keys("Right")
    b.until("return document.querySelectorAll('.level3').length === 8")
    b.keys("/", "signed")
    b.until("return document.querySelectorAll('.level3').length === 1")
    check("a slash filters", b.run(FOCUS) == "filter")
    b.run("const input = document.querySelector('#filter'); input.value = ''; input.dispatchEvent(new Event('input'))")


def drains(b):
    sluice("backend", "drain", "web-pool", "10.2.1.2", "--timeout", "60s")
    sluice("backend", "drain", "web-pool", "10.2.2.2", "--timeout", "60s")
    b.until("return document.querySelectorAll('#drain-list li').length === 2")
    b.until("return /1 flow left, [45]\\d s left/.test(document.querySelector('#drain-list').textContent)")
    check("drains are told, with their flows and the time left", True, b.text("#drain-list"))
    sluice("backend", "enable", "web-pool", "10.2.1.2")
    sluice("backend", "enable", "web-pool", "10.2.2.2")
    b.until("return document.querySelector('#drains').hidden")
    check("until they are over", True)


def reconnects(b):
    b.run("window.stays = true")
    sluice("backend", "add", "web-pool", "10.2.2.9")
    b.until(STATE, "10.2.2.9")
    check("what is added at runtime comes by itself", True)
    sluice("backend", "remove", "web-pool", "10.2.2.9")
    b.until("return ![...document.querySelectorAll('.place')].some((place) => place.textContent.startsWith('10.2.2.9'))", within=10)
    check("and goes", True)
    pid = int(subprocess.run([SLUICE, "status", "--json"], check=True, capture_output=True, text=True).stdout.split('"pid": ')[1].split(",")[0])
    os.kill(pid, signal.SIGTERM)
    b.until("return document.querySelector('#link').className === 'lost'")
    check("a daemon that is gone is told", "old" in b.text("#link"))
    sick("b2", True)
    daemon = subprocess.Popen([os.path.join(os.path.dirname(SLUICE), "sluiced"), "--foreground", "--config", f"{WORK}/sluice.yaml"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        b.until("return document.querySelector('#link').className === 'live'", within=20)
        b.until(IS, "10.2.2.2:80", "", "Unhealthy")
        check("when it is back, the page is right, without being loaded again", b.run("return window.stays === true"))
        b.until("return document.querySelector('#totals').textContent.includes('8 endpoints')")
        check("and complete", b.run("return document.querySelectorAll('.level3').length === 8"))
        sick("b2", False)
        b.until(IS, "10.2.2.2:80", "", "Healthy")
        frozen(b, daemon.pid)
    finally:
        daemon.terminate()
        daemon.wait(20)


def frozen(b, pid):
    """A way that is cut, or a daemon that hangs: the connection stays, and says nothing."""
    os.kill(pid, signal.SIGSTOP)
    b.until("return document.querySelector('#link').className === 'lost'", within=10)
    os.kill(pid, signal.SIGCONT)
    b.until("return document.querySelector('#link').className === 'live'", within=20)
    check("silence is told as well, and passes", True)


def accessible(b, axe):
    script = open(axe, encoding="utf-8").read()
    for name, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("narrow", "light", 390)):
        b.size(width, 1000)
        b.media(scheme)
        b.go(PAGE)
        b.until("return document.querySelectorAll('.level3').length > 2 && document.querySelector('#gateway table')")
        b.run(ROW + "row.click()", "10.2.1.2:8444" if width > 1000 else "10.2.1.2:80", "")
        b.until("return document.querySelectorAll('#detail tbody tr').length > 0")
        b.cdp("Runtime.evaluate", expression=script)
        found = b.run_async("const done = arguments[0]; axe.run().then((r) => done(r.violations.map((v) => ({ id: v.id, impact: v.impact, nodes: v.nodes.map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 200)) }))))")
        grave = [item for item in found if item["impact"] in ("serious", "critical")]
        check(f"axe-core has no serious finding, {name}", not grave, str(found) if found else "none at all")
    check("a narrow page does not scroll sideways", b.run("return document.documentElement.scrollWidth <= innerWidth"))
    b.size(390, 600)
    b.run("document.querySelector('#endpoints').focus()")
    b.keys("End")
    b.until("""const box = document.querySelector('#endpoints').getBoundingClientRect(), line = document.querySelector('.active')?.getBoundingClientRect();
        return line && line.top >= box.top && Math.abs(line.bottom - box.bottom) < 4""")
    check("a key leads to its last line, where lines have heights of their own", "10.2.1.2:8444" in b.text(".active"), b.text(".active"))
    b.size(1280, 900)
    b.media("light")


def quiet(b, how_far):
    said = [line["message"] for line in b.log() if line["level"] == "SEVERE"]
    # What crosses with a change of the configuration is answered so.
    said = [line for line in said if "/v1/trails?" not in line or "409 (Conflict)" not in line]
    check(f"the console has no complaint {how_far}", not said, str(said) if said else "")


def main():
    with Browser(9515, f"{WORK}/profile") as b:
        first_look(b)
        live(b)
        details(b)
        quiet(b, "so far")
        hostile(b)
        b.log() # the mistake that was made on purpose
        filters(b)
        kinds(b)
        interfaces(b)
        keyboard(b)
        drains(b)
        accessible(b, sys.argv[1])
        quiet(b, "at all")
        b.go(PAGE)
        b.until("return document.querySelectorAll('.level3').length === 8")
        reconnects(b)
    end()


main()
