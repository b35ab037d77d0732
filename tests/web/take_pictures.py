# SPDX-License-Identifier: GPL-2.0-or-later
"""take_pictures DIRECTORY: page-light.png, page-dark.png and page-narrow.png."""

import os
import sys
import time

from browser import Browser

# Name, colors, width, how high at most, and the endpoint that is open.
PICTURES = (("light", "light", 1280, 2400, None), ("dark", "dark", 1280, 4000, "10.2.1.2:8444"), ("narrow", "light", 400, 1700, None))


def main():
    with Browser(9515, f"{os.environ['WORK']}/profile") as b:
        for name, scheme, width, most, opened in PICTURES:
            b.size(width, 1000)
            b.media(scheme)
            b.go("http://127.0.0.1:9477/")
            b.until("return document.querySelectorAll('.spark rect').length > 20 && document.querySelectorAll('#timeline li').length > 3")
            if opened:
                b.run("[...document.querySelectorAll('.level3')].find((row) => row.querySelector('.place').textContent === arguments[0]).click()", opened)
                b.until("return document.querySelector('#detail .chain')")
                b.run("document.activeElement.blur(); scrollTo(0, 0)")
            time.sleep(2.5)
            # All of the page, and no more; the list of endpoints is as high as the window allows.
            b.size(width, most)
            b.size(width, min(most, int(b.run("return document.body.getBoundingClientRect().height")) + 1))
            time.sleep(0.5)
            b.shot(os.path.join(sys.argv[1], f"page-{name}.png"))


main()
