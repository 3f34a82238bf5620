# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive in which Ansible brings a module and all it imports to the host. Private: not for use outside of ``tunefleet.linux``."""

import os
import sys
import zipimport


class _Importer(zipimport.zipimporter):
    """Returns the file name of a module in this archive without compiling it."""

    def __init__(self, path: str) -> None:
        """:raises ImportError: for what is not of this archive, which Python then leaves to its own importer."""
        super().__init__(path)
        if self.archive != _archive():
            raise zipimport.ZipImportError("{0} is not of the archive {1}".format(path, _archive()))

    def get_filename(self, fullname: str) -> str:
        """:raises ImportError: when the archive has no such module."""
        path = os.path.join(self.archive, self.prefix + fullname.rpartition(".")[2])
        return os.path.join(path, "__init__.py") if self.is_package(fullname) else path + ".py"


def _archive() -> str:
    """The archive that this module was imported from; empty where it was not, as on the controller."""
    return getattr(__spec__.loader, "archive", "") if __spec__ else ""


def cache_zip_filenames() -> None:
    """Have Python compile each module that is imported from now on once, not twice.

    The archive holds source text alone. Since 3.10, CPython compiles it to learn a module's file name and again to run it
    (Lib/zipimport.py, zipimporter.get_filename; python/cpython issue 141276): a fifth of what the module profile took on a host.
    """
    if sys.version_info < (3, 10) or not _archive():
        return
    sys.path_hooks.insert(0, _Importer)
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimport.zipimporter):
            del sys.path_importer_cache[path]
