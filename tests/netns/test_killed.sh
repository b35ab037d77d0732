#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kill -9 at every point of a change: in the middle of random ones, right before one of the calls that outlive the
# daemon, whichever it is. After the next start there is the state before or the one after, in what is kept and in the
# maps, and never one between.
WHAT=kills CHANGES=${KILLS:-200} exec bash "$(dirname "$0")/test_property.sh"
