# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""status. Private to ``tunefleet.linux``."""

OK = "ok"
CHANGED = "changed"
KEPT = "kept"
REMOVED = "removed"
UNKNOWN = "unknown"
NEEDS_MODULE = "needs_module"
NOT_NAMESPACED = "not_namespaced"
READ_ONLY = "read_only"
NO_EFFECT = "no_effect"
REFUSED = "refused"
UNAVAILABLE = frozenset([REMOVED, UNKNOWN, NEEDS_MODULE, NOT_NAMESPACED, READ_ONLY, NO_EFFECT])
